"""Ten lit, textured shapes before a busy background: the data of a first run, drawn by the program itself."""

from __future__ import annotations

import math
from typing import Literal, Unpack

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from sslgraph.component import component
from sslgraph.errors import SslgraphError
from sslgraph.ranges import Count

from .albums.drawn import Drawn, DrawnSettings
from .canvas.canvas import by_kind, grid, over, rgb, stroke, wave
from .canvas.outlines import OUTLINES, Field, Plane

Index = Int64[Tensor, "batch"]
TEXTURES = ("plain", "stripes", "checks", "dots")
DISTRACTORS = 2


@component(source="own; its factors are those of arXiv:2003.14323, section 3", role="stand-in")
class Shapes(Drawn):
    """Images whose class is a shape, with hue, texture, viewpoint, light and clutter drawn independently of it.

    Image i is a function of (seed, split, i) alone, and each factor has a random stream of its own, so that switching
    one off leaves the others as they were. Raw pixels see colour and position; only the outline tells the classes.

    Settings:
        images, test_images: how many images each split has.
        label: the factor that `labels` holds; hue in eight sectors, tilt and light in four.
        colour: `random`, or `by_class`: the shape decides its hue (a shortcut that pixels can see).
        texture, viewpoint, light, clutter: whether the factor varies; where it is off it has its plainest value.
    """

    kind = "shapes"

    def __init__(
        self,
        *,
        images: Count = 10_000,
        test_images: Count = 2_000,
        size: Count = 32,
        label: Literal["shape", "hue", "texture", "viewpoint", "light", "clutter"] = "shape",
        colour: Literal["random", "by_class"] = "random",
        texture: bool = True,
        viewpoint: bool = True,
        light: bool = True,
        clutter: bool = True,
        **shared: Unpack[DrawnSettings],
    ) -> None:
        super().__init__(size=size, **shared)
        self.varies = {"texture": texture, "viewpoint": viewpoint, "light": light, "clutter": clutter}
        if not self.varies.get(label, True):
            raise SslgraphError(f"label: {label} names a factor that is the same in every image; set {label}: true")
        self.colour = colour
        self.choose(*self._labels(label, images if self.split == "train" else test_images))

    def render(self, indices: Index) -> UInt8[Tensor, "batch 3 height width"]:
        """These images, drawn anew: background, distractors, the shape over them, light over all."""
        x, y = grid(len(indices), self.side)
        image = self._distractors(indices, self._background(indices, x, y), x, y)
        u, v, scale = self._seen(indices, x, y)
        outline = by_kind(self._shape(indices), list(OUTLINES.values()), u, v) * scale
        image = over(image, self._surface(indices, u, v), self._coverage(outline))
        image = image * self._light(indices, x, y)[:, None]
        return (image.clamp(0, 1) * 255).round().to(torch.uint8).view(-1, 3, self.side, self.side)

    def maps(self, indices: Index) -> list[Int64[Tensor, "height width"]]:
        """Where the shape is (1) and where it is not (0), for each pixel of these images."""
        indices = self._rows[indices]
        u, v, scale = self._seen(indices, *grid(len(indices), self.side))
        outline = by_kind(self._shape(indices), list(OUTLINES.values()), u, v) * scale
        return [*(outline < 0).long().view(-1, self.side, self.side)]

    def _shape(self, indices: Index) -> Index:
        return self.one_of(indices, "shape", len(OUTLINES))

    def _hue(self, indices: Index) -> Float[Tensor, "batch"]:
        free = self.uniform(indices, "hue", 1)[:, 0]
        return free if self.colour == "random" else (self._shape(indices) + 0.3 + 0.4 * free) / len(OUTLINES)

    def _labels(self, factor: str, count: int) -> tuple[Index, tuple[str, ...]]:
        everyone = torch.arange(count)
        if factor == "shape":
            return self._shape(everyone), tuple(OUTLINES)
        if factor == "hue":
            return (self._hue(everyone) * 8).long(), tuple(f"{45 * k} to {45 * k + 45} degrees" for k in range(8))
        classes = {
            "texture": TEXTURES,
            "clutter": tuple(f"{k} distractors" for k in range(DISTRACTORS + 1)),
            "viewpoint": ("tilted right", "slightly right", "slightly left", "tilted left"),
            "light": ("from the right", "from above", "from the left", "from below"),
        }[factor]
        return self.one_of(everyone, factor, len(classes)), classes

    def _is_bright(self, indices: Index) -> Tensor:
        """Whether the shape is brighter than what is behind it, or darker."""
        return self.uniform(indices, "polarity", 1)[:, 0] < 0.5

    def _background(self, indices: Index, x: Plane, y: Plane) -> Float[Tensor, "batch 3 pixels"]:
        hue, saturation, level, *other = self.uniform(indices, "background", 6).unbind(1)
        value = torch.where(self._is_bright(indices), 0.1 + 0.25 * level, 0.65 + 0.3 * level)
        near = rgb(hue, 0.2 + 0.5 * saturation, value)
        if not self.varies["clutter"]:
            return near.expand(-1, -1, self.side**2)
        far = rgb(hue + 0.25 * other[0], 0.2 + 0.5 * other[1], value + 0.2 * (other[2] - 0.5))
        turn, phase = self.uniform(indices, "waves", 2).split(1, dim=1)
        return torch.lerp(near, far, (0.5 + 0.25 * wave(x, y, turn, phase, 0.3))[:, None])

    def _distractors(self, indices: Index, image: Tensor, x: Plane, y: Plane) -> Float[Tensor, "batch 3 pixels"]:
        """Up to two strokes and blobs behind the shape, of the background's brightness rather than the shape's."""
        if not self.varies["clutter"]:
            return image
        bright, count = self._is_bright(indices), self.one_of(indices, "clutter", DISTRACTORS + 1)
        for k in range(DISTRACTORS):
            r = self.uniform(indices, f"distractor {k}", 8)
            line = stroke(x, y, 2.4 * r[:, :2] - 1.2, 1.2 * r[:, 2:4] - 0.6) - (0.05 + 0.1 * r[:, 4:5])
            value = torch.where(bright, 0.2 + 0.3 * r[:, 5], 0.5 + 0.3 * r[:, 5])
            paint = rgb(r[:, 6], 0.3 + 0.5 * r[:, 7], value)
            image = over(image, paint, self._coverage(line) * (count > k)[:, None])
        return image

    def _seen(self, indices: Index, x: Plane, y: Plane) -> tuple[Plane, Plane, Float[Tensor, "batch 1"]]:
        """The pixels in the frame of the shape, and the scale that makes its distances the image's again."""
        r = 2 * self.uniform(indices, "viewpoint", 5) - 1
        tilt, size, shear, right, up = (r * self.varies["viewpoint"]).split(1, dim=1)
        scale = 0.45 + 0.14 * size
        x, y = (x - 0.58 * right) / scale, (y - 0.58 * up) / scale
        angle = 0.3 * tilt
        u, v = angle.cos() * x + angle.sin() * y, angle.cos() * y - angle.sin() * x
        return u + 0.08 * shear * v, v, scale

    def _surface(self, indices: Index, u: Plane, v: Plane) -> Float[Tensor, "batch 3 pixels"]:
        level, saturation = self.uniform(indices, "surface", 2).unbind(1)
        turn, pitch, phase = self.uniform(indices, "weave", 3).split(1, dim=1)
        bright, hue, saturation = self._is_bright(indices), self._hue(indices), 0.35 + 0.6 * saturation
        value = torch.where(bright, 0.75 + 0.25 * level, 0.1 + 0.25 * level)
        paint = rgb(hue, saturation, value)
        if not self.varies["texture"]:
            return paint.expand(-1, -1, self.side**2)
        other = rgb(hue + 0.06, 0.8 * saturation, value + torch.where(bright, -0.08, 0.08))
        across, along = (wave(u, v, turn + right, phase, 1.5 + pitch) for right in (0, 0.5))
        kinds: list[Field] = [lambda a, _: 0 * a, lambda a, _: a, lambda a, b: a * b, lambda a, b: a + b - 1]
        fold = by_kind(self.one_of(indices, "texture", len(TEXTURES)), kinds, across, along)
        return torch.lerp(paint, other, (0.5 + 2 * fold).clamp(0, 1)[:, None])

    def _light(self, indices: Index, x: Plane, y: Plane) -> Plane:
        """The gain of each pixel: brighter towards where the light comes from."""
        direction, strength, slope = self.uniform(indices, "light", 3).split(1, dim=1)
        angle = 2 * math.pi * (direction - 0.125)
        if not self.varies["light"]:
            return torch.ones_like(x)
        toward = angle.cos() * x + angle.sin() * y
        gain: Plane = 0.85 + 0.3 * strength + (0.1 + 0.3 * slope) * toward
        return gain

    def _coverage(self, distance: Plane) -> Plane:
        """How much of each pixel lies inside an outline: one pixel of soft edge."""
        return (0.5 - distance * self.side / 2).clamp(0, 1)
