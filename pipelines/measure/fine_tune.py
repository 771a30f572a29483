"""Fine-tuning: all weights of an encoder and a linear classifier trained on labels, then tested once."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.errors import SslgraphError
from sslgraph.views.views import ViewProgram

from ..feed.feed import Source, prefetched, reader
from .features import extract

EPOCHS, BATCH, RATE, DECAY, WARMUP = 30, 128, 5e-4, 0.05, 0.05
PADDED = 8  # a crop moves by up to 1 / 8 of the side


@dataclass(frozen=True)
class FineTuned:
    """Share of the test images classified rightly, and that of always answering the most frequent training label."""

    accuracy: float
    chance: float
    images: int
    epochs: int
    classes: int


def fine_tune(
    encoder: nn.Module,
    train: Source,
    test: Source,
    view: ViewProgram,
    *,
    epochs: int = EPOCHS,
    batch: int = BATCH,
    seed: int = 0,
    device: torch.device | str = "cpu",
) -> FineTuned:
    """Trains a copy of the encoder; the classifier takes its features, normalised over the batch, and starts at 0.

    AdamW, rate 5e-4 after a linear warm-up of 5 % and then a cosine to 0, decay 0.05, batches of 128; nothing is
    chosen. Images are those of the fixed `view`, moved by up to an eighth of the side and mirrored by chance.
    """
    on, known, truth = torch.device(device), _labelled(train), _labelled(test)
    assert train.labels is not None and test.labels is not None
    if len(known) < 2 or not len(truth):
        raise SslgraphError("fine-tuning needs two labelled training images and a labelled test image")
    labels, classes = train.labels, int(train.labels.max()) + 1
    fixed, tuned = torch.Generator().manual_seed(seed), copy.deepcopy(encoder).to(on).requires_grad_(True)
    (name,), read, batch = tuple(view.views), reader(train, on), min(batch, len(known))

    def seen(wanted: Tensor) -> tuple[Float[Tensor, "batch 3 side side"], Tensor]:
        images, index = read(wanted)
        good = index == wanted
        made = view(images, index, seed=0, epoch=0, device=on)[f"{name}.image"]
        return _moved(made[good.to(on)], fixed), labels[index[good]].to(on)

    orders = [known[torch.randperm(len(known), generator=fixed)] for _ in range(epochs)]
    batches = [some for order in orders for some in order.split(batch) if len(some) == batch]
    tuned.eval()
    with torch.no_grad():
        width = tuned(seen(known[:1])[0]).shape[1]
    model = nn.Sequential(tuned, nn.BatchNorm1d(width, affine=False), _linear(width, classes)).to(on).train()
    _train(model, prefetched(map(seen, batches), 2), steps=max(1, len(batches)))
    values, answers = extract(model, test, view, device=on).labelled()
    frequent = labels[known].bincount().argmax()
    return FineTuned(
        accuracy=(values.argmax(1) == answers).double().mean().item(),
        chance=(answers == frequent).double().mean().item(),
        images=len(known),
        epochs=epochs,
        classes=classes,
    )


def _linear(width: int, classes: int) -> nn.Linear:
    """A classifier that begins at 0."""
    layer = nn.Linear(width, classes)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def _train(model: nn.Module, batches: Iterable[tuple[Tensor, Tensor]], *, steps: int) -> None:
    """Takes a step for each batch; one with fewer than two readable images is left out."""
    solver = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=DECAY)
    plan = torch.optim.lr_scheduler.LambdaLR(solver, lambda step: _rate(step / steps))
    for images, answers in batches:
        if len(answers) > 1:
            solver.zero_grad()
            F.cross_entropy(model(images), answers).backward()
            solver.step()
            plan.step()


def _labelled(source: Source) -> Tensor:
    return torch.arange(0) if source.labels is None else (source.labels >= 0).nonzero()[:, 0]


def _rate(share: float) -> float:
    return share / WARMUP if share < WARMUP else 0.5 * (1 + math.cos(math.pi * (share - WARMUP) / (1 - WARMUP)))


def _moved(images: Float[Tensor, "batch 3 side side"], fixed: torch.Generator) -> Float[Tensor, "batch 3 side side"]:
    """Each image moved by its own number of pixels, its border mirrored, and by even chance mirrored itself."""
    count, _, height, width = images.shape
    far = max(1, min(height, width) // PADDED)
    wide = F.pad(images, (far, far, far, far), mode="reflect")
    down, right = (torch.randint(2 * far + 1, (count,), generator=fixed).to(images.device) for _ in range(2))
    rows = (down[:, None] + torch.arange(height, device=images.device))[:, None, :, None]
    columns = (right[:, None] + torch.arange(width, device=images.device))[:, None, None, :]
    which = torch.arange(count, device=images.device)[:, None, None, None]
    planes = torch.arange(images.shape[1], device=images.device)[None, :, None, None]
    moved = wide[which, planes, rows, columns]
    is_flipped = (torch.rand(count, generator=fixed) < 0.5).to(images.device)
    return torch.where(is_flipped[:, None, None, None], moved.flip(3), moved)
