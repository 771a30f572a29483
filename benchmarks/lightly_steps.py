"""lightly 1.6's own examples, as its documentation writes them, on the same nets, crops and images a step.

https://docs.lightly.ai/self-supervised-learning/examples/: float32, one image at a time through torchvision's steps,
one forward for each view. Changed are the encoder's stem and the sizes, so that the work is the same as ours.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import torch
from lightly.loss import DINOLoss, NegativeCosineSimilarity, NTXentLoss
from lightly.models import utils
from lightly.models.modules import (
    BYOLPredictionHead,
    BYOLProjectionHead,
    DINOProjectionHead,
    MAEDecoderTIMM,
    MaskedVisionTransformerTIMM,
    SimCLRProjectionHead,
)  # fmt: skip
from lightly.models.utils import deactivate_requires_grad, update_momentum
from lightly.transforms import BYOLTransform, DINOTransform, MAETransform, SimCLRTransform
from lightly.transforms.byol_transform import BYOLView1Transform, BYOLView2Transform
from timm.models.vision_transformer import VisionTransformer
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms.v2 import functional as tv

from sslgraph.parts import registry

from .hand_written import encoder
from .turns import Work


class Pictures(Dataset):  # type: ignore[type-arg]
    """The drawn images as Pillow images, each through a transform."""

    def __init__(self, transform: Callable[[Any], Any]) -> None:
        images, _ = registry.build("sources.shapes", {"images": 1024}).read(torch.arange(1024))
        self.pictures, self.transform = [tv.to_pil_image(image) for image in images], transform

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> Any:
        return self.transform(self.pictures[index])


def batches(transform: Callable[[Any], Any], batch: int, workers: int = 0) -> Iterator[list[torch.Tensor]]:
    """Batches for ever, made in this process, or in workers as the documentation has it."""
    keep = {"num_workers": workers, "persistent_workers": workers > 0, "pin_memory": workers > 0}
    loader = DataLoader(Pictures(transform), batch_size=batch, shuffle=True, drop_last=True, **keep)  # type: ignore[arg-type]
    while True:
        yield from loader


def simclr(batch: int, on: torch.device | None = None, workers: int = 0) -> Work:
    """https://docs.lightly.ai/self-supervised-learning/examples/simclr.html"""
    on = on or torch.device("cpu")
    backbone, head = encoder().to(on), SimCLRProjectionHead(512, 512, 128).to(on)
    transform = SimCLRTransform(input_size=32, cj_strength=0.5, gaussian_blur=0.0)
    criterion, supply = NTXentLoss(), batches(transform, batch, workers)
    optimizer = torch.optim.SGD([*backbone.parameters(), *head.parameters()], lr=0.06)

    def step() -> None:
        x0, x1 = (x.to(on) for x in next(supply)[:2])
        loss = criterion(head(backbone(x0).flatten(start_dim=1)), head(backbone(x1).flatten(start_dim=1)))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def byol(batch: int) -> Work:
    """https://docs.lightly.ai/self-supervised-learning/examples/byol.html"""
    backbone, head = encoder(), BYOLProjectionHead(512, 1024, 256)
    predictor = BYOLPredictionHead(256, 1024, 256)
    slow, slow_head = copy.deepcopy(backbone), copy.deepcopy(head)
    deactivate_requires_grad(slow)
    deactivate_requires_grad(slow_head)
    one = BYOLView1Transform(input_size=32, gaussian_blur=0.0)
    two = BYOLView2Transform(input_size=32, gaussian_blur=0.0)
    criterion, supply = NegativeCosineSimilarity(), batches(BYOLTransform(one, two), batch)
    trained = [*backbone.parameters(), *head.parameters(), *predictor.parameters()]
    optimizer = torch.optim.SGD(trained, lr=0.06)

    def step() -> None:
        x0, x1 = next(supply)
        update_momentum(backbone, slow, m=0.99)
        update_momentum(head, slow_head, m=0.99)
        p0, p1 = (predictor(head(backbone(x).flatten(start_dim=1))) for x in (x0, x1))
        z0, z1 = (slow_head(slow(x).flatten(start_dim=1)).detach() for x in (x0, x1))
        loss = 0.5 * (criterion(p0, z1) + criterion(p1, z0))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def dino(batch: int) -> Work:
    """https://docs.lightly.ai/self-supervised-learning/examples/dino.html"""
    student, student_head = encoder(), DINOProjectionHead(512, 2048, 256, 2048, batch_norm=True)
    teacher, teacher_head = copy.deepcopy(student), DINOProjectionHead(512, 2048, 256, 2048, batch_norm=True)
    deactivate_requires_grad(teacher)
    deactivate_requires_grad(teacher_head)
    transform = DINOTransform(global_crop_size=32, local_crop_size=16, n_local_views=6, gaussian_blur=(0.0, 0.0, 0.0))
    criterion, supply = DINOLoss(output_dim=2048, warmup_teacher_temp_epochs=5), batches(transform, batch)
    optimizer = torch.optim.Adam([*student.parameters(), *student_head.parameters()], lr=0.001)

    def step() -> None:
        views = next(supply)
        update_momentum(student, teacher, m=0.99)
        update_momentum(student_head, teacher_head, m=0.99)
        teacher_out = [teacher_head(teacher(view).flatten(start_dim=1)) for view in views[:2]]
        student_out = [student_head(student(view).flatten(start_dim=1)) for view in views]
        loss = criterion(teacher_out, student_out, epoch=0)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def mae(batch: int) -> Work:
    """https://docs.lightly.ai/self-supervised-learning/examples/mae.html"""
    vit = VisionTransformer(img_size=32, patch_size=4, embed_dim=192, depth=12, num_heads=3, num_classes=0)
    backbone, length = MaskedVisionTransformerTIMM(vit=vit), vit.patch_embed.num_patches + 1
    decoder = MAEDecoderTIMM(
        num_patches=vit.patch_embed.num_patches, patch_size=4, embed_dim=192, decoder_embed_dim=192, decoder_depth=1,
        decoder_num_heads=3, mlp_ratio=4.0, proj_drop_rate=0.0, attn_drop_rate=0.0,
    )  # fmt: skip
    criterion, supply = nn.MSELoss(), batches(MAETransform(input_size=32), batch)
    optimizer = torch.optim.AdamW([*backbone.parameters(), *decoder.parameters()], lr=1.5e-4)

    def step() -> None:
        images = next(supply)[0]
        keep, mask = utils.random_token_mask(size=(len(images), length), mask_ratio=0.75)
        tokens = backbone.encode(images=images, idx_keep=keep)
        seen = utils.repeat_token(decoder.mask_token, (len(images), length))
        seen = utils.set_at_index(seen, keep, decoder.embed(tokens).type_as(seen))
        decoded = decoder.decode(seen)
        predicted = decoder.predict(utils.get_at_index(decoded, mask))
        target = utils.get_at_index(utils.patchify(images, 4), mask - 1)
        criterion(predicted, target).backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


STEPS: dict[str, Callable[[int], Work]] = {"SimCLR": simclr, "BYOL": byol, "DINO": dino, "MAE": mae}
