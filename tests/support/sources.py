"""Sources for the tests of what runs on data: images that show their own index."""

import torch
from torch import Tensor


class Numbered:
    """Image i is all of value i; some can't be read, and the sizes may differ."""

    classes: tuple[str, ...] = ()

    def __init__(
        self, count: int, *, labels: Tensor | None = None, unreadable: tuple[int, ...] = (), sized: bool = True
    ) -> None:
        self.count, self.labels, self.unreadable, self.sized = count, labels, unreadable, sized
        self.broken: dict[int, str] = {}

    @property
    def size(self) -> tuple[int, int] | None:
        return (4, 4) if self.sized else None

    def __len__(self) -> int:
        return self.count

    def read(self, indices: Tensor) -> tuple[Tensor | list[Tensor], Tensor]:
        self.broken |= {i: f"image {i}: cut short" for i in indices.tolist() if i in self.unreadable}
        really = torch.tensor([i + (i in self.unreadable) for i in indices.tolist()])
        images = really[:, None, None, None].expand(-1, 3, 4, 4).to(torch.uint8)
        if self.sized:
            return images, really
        return [image[:, : 2 + i % 3] for i, image in zip(really, images, strict=True)], really
