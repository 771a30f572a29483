"""SimCLR on small images as a careful engineer writes it by hand: the bound that a general program is held to.

Same settings as ours: bfloat16 autocast, channels-last, one joint forward, float32 loss, one optimizer for all tensors;
and our batched views, so that the two loops differ in nothing but who wrote the step.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize
from torchvision.models import resnet18

from sslgraph.parts import registry
from sslgraph.pipelines.feed.feed import order
from sslgraph.pipelines.machine.chosen_forms import fitting
from sslgraph.read.load import load_augmentation
from sslgraph.read.spec import View
from sslgraph.views.views import ViewProgram

from .turns import Work
from .views import CIFAR


def encoder() -> nn.Module:
    """torchvision's ResNet-18 with the stem for small images: 3x3, no pooling."""
    net = resnet18(zero_init_residual=True)
    net.conv1, net.maxpool, net.fc = nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.Identity(), nn.Identity()
    return net


def nt_xent(z: Tensor, temperature: float) -> Tensor:
    """SimCLR's loss of rows that stand view by view."""
    rows = normalize(z.float(), dim=1)
    similarity = rows @ rows.T / temperature
    similarity.fill_diagonal_(-torch.inf)
    count = len(rows)
    partner = (torch.arange(count, device=z.device) + count // 2) % count
    return cross_entropy(similarity, partner)


def simclr(batch: int, on: torch.device | None = None) -> Work:
    """One training step on a device, the processor if none is named."""
    on = on or torch.device("cpu")
    torch.manual_seed(0)
    head = nn.Sequential(nn.Linear(512, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Linear(512, 128, bias=False),
                         nn.BatchNorm1d(128))  # fmt: skip
    model = nn.Sequential(encoder(), head).train()
    forms = fitting("auto", [model], on)
    model.to(device=on, memory_format=forms.layout)  # type: ignore[call-overload]
    optimizer = torch.optim.SGD(model.parameters(), lr=0.06, momentum=0.9, weight_decay=5e-4, foreach=True)
    source = registry.build("sources.shapes", {"images": 1024})
    views = {"x": View(augment="simclr", copies=2, settings=CIFAR)}
    program = ViewProgram.build(views, {"simclr": load_augmentation("simclr").spec})
    drawn, precision = order(1024, seed=0, epoch=0), forms.dtype
    position = 0

    def step() -> None:
        nonlocal position
        images, index = source.read(drawn[position : position + batch])
        position = (position + batch) % 1024
        x = program(images, index, seed=0, epoch=0, device=on, channels_last=forms.channels_last)["x.image"]
        with torch.autocast(on.type, precision, enabled=precision != torch.float32):
            z = model(x)
        loss = nt_xent(z, 0.5)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step
