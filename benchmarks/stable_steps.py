"""stable-pretraining 0.1.8's SimCLR as its module documents it: float32, one image at a time, one forward a view.

Its own trainer (Lightning) is left out, which flatters it. Changed are the encoder's stem and the sizes, so that the
work is the same as ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from stable_pretraining.data import transforms
from stable_pretraining.methods import SimCLR
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms.v2 import functional as tv

from sslgraph.parts import registry

from .hand_written import encoder
from .turns import Work


class Pictures(Dataset):  # type: ignore[type-arg]
    """The drawn images as Pillow images, two views of each."""

    def __init__(self, view: Callable[[dict[str, object]], dict[str, object]]) -> None:
        images, _ = registry.build("sources.shapes", {"images": 1024}).read(torch.arange(1024))
        self.pictures, self.view = [tv.to_pil_image(image) for image in images], view

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> tuple[object, object]:
        one, two = (self.view({"image": self.pictures[index]})["image"] for _ in range(2))
        return one, two


def batches(batch: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Batches for ever, made in this process."""
    view = transforms.Compose(
        transforms.RGB(),
        transforms.RandomResizedCrop((32, 32)),
        transforms.RandomHorizontalFlip(p=0.5),
        transforms.ColorJitter(brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, p=0.8),
        transforms.RandomGrayscale(p=0.2),
        transforms.ToImage(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225]),
    )
    loader = DataLoader(Pictures(view), batch_size=batch, shuffle=True, drop_last=True, num_workers=0)
    while True:
        yield from loader


def simclr(batch: int) -> Work:
    """https://github.com/rbalestr-lab/stable-pretraining, stable_pretraining.methods.SimCLR"""
    model = SimCLR(encoder(), projector_dims=(512, 128))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.06)
    supply = batches(batch)

    def step() -> None:
        x0, x1 = next(supply)
        model(x0, x1).loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


STEPS: dict[str, Callable[[int], Work]] = {"SimCLR": simclr}
