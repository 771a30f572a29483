"""Label maps travel with their images: cut, resized and turned as a view is, and never mixed."""

from __future__ import annotations

import pytest
import torch
from test_views import Step, photos, program
from torch import Tensor
from torch.nn.functional import max_pool2d

from sslgraph.errors import SslgraphError
from sslgraph.read.spec import View
from sslgraph.views.views import ViewProgram

from test_renderings import FOUND  # isort: skip

CUT = {"use": "augment.resize_random_crop", "shorter": 20, "size": 12}
FLIP = {"use": "augment.horizontal_flip", "p": 0.5}
PAD = {"use": "augment.pad_crop", "size": 20, "padding": 4}
JITTER = {"use": "augment.color_jitter"}


def seen(images: Tensor | list[Tensor], maps: list[Tensor], copies: int = 1, **steps: Step) -> dict[str, Tensor]:
    return program(copies, **steps)(images, torch.arange(len(images)), seed=3, epoch=0, maps=maps)


def red(images: Tensor | list[Tensor]) -> list[Tensor]:
    """Maps whose numbers are the red of the images, so that a view of an image shows where its map comes from."""
    return [image[0].long() for image in images]


@pytest.mark.parametrize(
    "steps", [{"cut": CUT}, {"cut": CUT, "flip": FLIP}, {"pad": PAD, "flip": FLIP}, {"flip": FLIP, "cut": CUT}]
)
def test_where_no_pixel_is_resampled_the_map_is_the_image(steps: dict[str, Step]) -> None:
    images = photos(6, 20, 26)
    batch = seen(images, red(images), 2, **steps)
    assert torch.equal(batch["x.map"], (255 * batch["x.image"][:, 0]).round().long())
    assert batch["x.map"].dtype == torch.int64 and len(batch["x.flip"].unique()) == 1 + ("flip" in steps)


def test_a_map_stays_with_its_image_through_two_resamplings_with_colours_between() -> None:
    """Blocks of 8 pixels, so that halves and quarters show them whole; the colours of the image change between."""
    images = photos(5, 4, 4).repeat_interleave(8, 2).repeat_interleave(8, 3)
    first = {"use": "augment.resize_center_crop", "size": 28}
    last = {"use": "augment.random_resized_crop", "size": 14, "scale": [1.0, 1.0], "ratio": [1.0, 1.0]}
    plain = seen(images, red(images), first=first, flip={**FLIP, "p": 1.0}, last=last)
    between = seen(images, red(images), first=first, flip={**FLIP, "p": 1.0}, jitter=JITTER, last=last)
    assert torch.equal(between["x.map"], plain["x.map"])
    around = max_pool2d(torch.stack([plain["x.map"], -plain["x.map"]], 1).float(), 3, 1, 1)
    is_within = around[:, 0] == -around[:, 1]  # a block, whose edges the image mixes
    apart = (255 * plain["x.image"][:, 0] - plain["x.map"]).abs()
    assert is_within.float().mean() > 0.2 and apart[is_within].max() < 2


def test_a_smaller_rendering_reads_the_map_amid_its_pixels() -> None:
    images = photos(4, 30, 40)
    x = View(augment="plain", settings={"size": 24})
    views = ViewProgram.build({"x": x, "y": View(augment="plain", crop_of="x", settings={"size": 8})}, FOUND)
    batch = views(images, torch.arange(4), seed=0, epoch=0, maps=red(images))
    assert torch.equal(batch["y.map"], batch["x.map"][:, 1::3, 1::3])
    assert batch["y.map"].shape == (4, 8, 8)


def test_images_of_many_sizes_have_maps_of_many_sizes() -> None:
    images = [photos(1, 20, 24)[0], photos(1, 30, 22)[0]]
    batch = seen(images, red(images), cut=CUT)
    alone = [program(cut=CUT)([images[i]], torch.tensor([i]), seed=3, epoch=0, maps=red([images[i]])) for i in (0, 1)]
    assert torch.equal(batch["x.map"], torch.cat([one["x.map"] for one in alone]))


def test_a_map_of_another_size_than_its_image_is_refused() -> None:
    images = photos(2)
    with pytest.raises(SslgraphError, match="the label map of image 1 has 20 x 24 pixels, and the image 24 x 20"):
        seen(images, [red(images)[0], red(images)[1].T])
