"""Shows features of places as colours: red, green and blue are the three directions in which they vary most."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from ...evaluate.labelled_places import squeezed
from ...evaluate.restored import Restored
from ...feed.feed import Images

SIDE = 144  # pixels of a picture
TRIMMED = 0.01  # at both ends of each direction, so that one odd place leaves the others their colours


@dataclass(frozen=True)
class Coloured:
    """An image as the encoder sees it, and what the trained encoder and the one before training make of its places."""

    index: int
    image: Image.Image
    trained: Image.Image
    before: Image.Image
    places: tuple[int, int]


@torch.no_grad()
def coloured(encoders: Restored, images: Images, index: list[int], device: torch.device) -> tuple[Coloured, ...]:
    """Whole images as squares of twice training's side, in colours that all share; SslgraphError without places."""
    side = 2 * encoders.view.sizes(512, 512)["x"][0]
    squares = torch.stack([squeezed(image, side) for image in images])
    view = encoders.sized_view(side)(squares, torch.arange(len(squares)), seed=0, epoch=0)["x.image"].to(device)
    maps = []
    for encoder in (encoders.trained, encoders.random):
        encoder.eval()
        maps.append(encoder.places(view).float().cpu())
    pictures = [[_picture(colours) for colours in rgb(map_)] for map_ in maps]
    shown = [_picture(square / 255) for square in squares]
    places = (int(maps[0].shape[2]), int(maps[0].shape[3]))
    rows = zip(index, shown, pictures[0], pictures[1], strict=True)
    return tuple(Coloured(number, image, trained, before, places) for number, image, trained, before in rows)


def rgb(maps: Float[Tensor, "images dim rows columns"]) -> Float[Tensor, "images 3 rows columns"]:
    """The first three principal components of all places together, each from 0 to 1; grey where there is none."""
    rows = maps.permute(0, 2, 3, 1).flatten(0, 2).double()
    centred, first, sizes = principal(rows, 3)
    there = sizes > 1e-6 * rows.norm()
    seen = torch.full((len(rows), 3), 0.5, dtype=torch.float64)
    values = (centred @ first.T)[:, there]
    if not values.shape[1]:
        return torch.full((len(maps), 3, *maps.shape[2:]), 0.5)
    low, high = values.quantile(TRIMMED, 0), values.quantile(1 - TRIMMED, 0)
    seen[:, : values.shape[1]] = ((values - low) / (high - low).clamp(min=1e-12)).clamp(0, 1)
    shape = (maps.shape[0], *maps.shape[2:], 3)
    return seen.view(shape).permute(0, 3, 1, 2).float()


def principal(rows: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Rows less their mean, the directions in which they spread most, and how far.

    Each direction points to where its largest weight is positive.
    """
    centred = rows - rows.mean(0)
    _, sizes, directions = torch.linalg.svd(centred, full_matrices=False)
    first = directions[:count]
    return centred, first * first.gather(1, first.abs().argmax(1, keepdim=True)).sign(), sizes[:count]


def _picture(colours: Float[Tensor, "3 rows columns"]) -> Image.Image:
    pixels = (255 * colours).round().byte().permute(1, 2, 0).contiguous().numpy()
    return Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.NEAREST)
