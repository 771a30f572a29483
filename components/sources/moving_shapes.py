"""Films that the program draws: a textured shape moves over a textured ground under a camera that drifts."""

from __future__ import annotations

from typing import NamedTuple, Unpack

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from sslgraph import draws
from sslgraph.component import component
from sslgraph.ranges import Count, Share

from .albums.drawn import Drawn, DrawnSettings
from .canvas.canvas import by_kind, grid, over, rgb, wave
from .canvas.outlines import OUTLINES, Plane
from .films.films import Clip

Index = Int64[Tensor, "batch"]
RATE, SHOTS, SPACING = 10.0, 4, 8  # frames a second; images of a film, and frames between two of them
LEAD = 3  # frames of a clip before the image that it is about
WAVES = 24  # in a texture


class Drawing(NamedTuple):
    """What a film is called where files have a place."""

    place: str


@component(source="own; its clips have exact masks, as those of arXiv:1612.06370 have not", role="stand-in films")
class MovingShapes(Drawn):
    """Frames of films whose shape moves by two or three pixels a frame, and in some films by none.

    Each film has four images, eight frames apart. Image i is a function of (seed, split, i) alone. `maps` says where
    the shape is, if it moves: 1 on it, 0 behind it; where nothing moves all is 0.

    Settings:
        films, test_films: how many films each split has.
        still: share of the films in which nothing moves but the camera.
    """

    kind = "moving shapes"

    def __init__(
        self,
        *,
        films: Count = 48,
        test_films: Count = 16,
        size: Count = 128,
        still: Share = 0.1,
        **shared: Unpack[DrawnSettings],
    ) -> None:
        super().__init__(size=size, **shared)
        self.still = still
        count = films if self.split == "train" else test_films
        self.films = [Drawing(f"{self.split}{number}") for number in range(count)]
        self.choose(self._moves(torch.arange(SHOTS * count)).long(), ("still", "moving"))

    def render(self, indices: Index) -> UInt8[Tensor, "batch 3 height width"]:
        """These images, drawn anew."""
        return self._frames(indices, torch.zeros_like(indices))

    def maps(self, indices: Index) -> list[Int64[Tensor, "height width"]]:
        """Where the shape is (1) and where it is not or does not move (0), for each pixel of these images."""
        return [*self.masks(self._rows[indices], torch.zeros_like(indices))]

    def about(self, index: int) -> tuple[int, float, float]:
        """The number of an image's film, the time of its clip's first frame in seconds, and frames a second."""
        film, shot = divmod(int(self._rows[index]), SHOTS)
        return film, (shot * SPACING) / RATE, RATE

    def clip(self, index: int, *, frames: int = 7, stride: int = 1) -> Clip:
        """Frames around the image, which is the fourth."""
        row = self._rows[index].expand(frames)
        later = stride * (torch.arange(frames) - LEAD)
        start = self.about(index)[1]
        times = start + torch.arange(frames, dtype=torch.float64) * stride / RATE
        return Clip(self._frames(row, later), times, RATE / stride)

    def masks(self, indices: Index, later: Index) -> Int64[Tensor, "batch height width"]:
        """Where a moving shape is, so many frames later."""
        inside = (self._outline(indices, later)[0] < 0) & self._moves(indices)[:, None]
        return inside.long().view(-1, self.side, self.side)

    def _frames(self, indices: Index, later: Index) -> UInt8[Tensor, "batch 3 height width"]:
        x, y = self._seen(indices, later)
        image = self._texture(indices, "ground", x, y).clone()
        outline, u, v = self._outline(indices, later)
        image = over(image, self._texture(indices, "surface", u, v), (0.5 - outline * self.side / 2).clamp(0, 1))
        noise = draws.normal(
            draws.keyed(self.seed, int(self.split == "test"), indices * 1000 + later, draws.stream_of(self.kind)),
            3 * self.side**2,
        )
        image = image + 0.01 * noise.view_as(image)
        return (image.clamp(0, 1) * 255).round().to(torch.uint8).view(-1, 3, self.side, self.side)

    def _of_film(self, indices: Index, factor: str, count: int) -> Float[Tensor, "batch count"]:
        return self.uniform(indices // SHOTS, factor, count)

    def _moves(self, indices: Index) -> Tensor:
        return self._of_film(indices, "moves", 1)[:, 0] >= self.still

    def _time(self, indices: Index, later: Index) -> Float[Tensor, "batch 1"]:
        """Frames from the middle of the film."""
        return ((indices % SHOTS - (SHOTS - 1) / 2) * SPACING + later)[:, None].float()

    def _seen(self, indices: Index, later: Index) -> tuple[Plane, Plane]:
        """The pixels on the ground, over which the camera drifts by up to a pixel a frame and turns a little."""
        x, y = grid(len(indices), self.side)
        r, time = 2 * self._of_film(indices, "camera", 3) - 1, self._time(indices, later)
        right, up, turn = r.split(1, dim=1)
        angle, pixel = 0.003 * turn * time, 2 / self.side
        u, v = angle.cos() * x + angle.sin() * y, angle.cos() * y - angle.sin() * x
        return u + right * pixel * time, v + up * pixel * time

    def _outline(self, indices: Index, later: Index) -> tuple[Plane, Plane, Plane]:
        """Distances from the outline, negative inside, and the pixels in the frame of the shape."""
        x, y = grid(len(indices), self.side)
        r = self._of_film(indices, "path", 5)
        speed = (2 + r[:, :1]) * self._moves(indices)[:, None] * 2 / self.side
        angle, time = 2 * torch.pi * r[:, 1:2], self._time(indices, later)
        ground = torch.where(self._moves(indices)[:, None], 0.0, 1.0)  # what stands still goes with the ground
        gx, gy = self._seen(indices, later)
        x, y = ground * gx + (1 - ground) * x, ground * gy + (1 - ground) * y
        x = x - (0.5 * r[:, 2:3] - 0.25) - speed * time * angle.cos()
        y = y - (0.5 * r[:, 3:4] - 0.25) - speed * time * angle.sin()
        scale = 0.35 + 0.15 * r[:, 4:5]
        kind = self.one_of(indices // SHOTS, "shape", len(OUTLINES))
        return by_kind(kind, list(OUTLINES.values()), x / scale, y / scale) * scale, x, y

    def _texture(self, indices: Index, name: str, x: Plane, y: Plane) -> Float[Tensor, "batch 3 pixels"]:
        """Waves of many directions and lengths about a colour of its own."""
        r = self._of_film(indices, name, 3 * WAVES + 3)
        turns, phases, pitches = r[:, 3:].split(WAVES, dim=1)
        fold = torch.zeros_like(x)
        for k in range(WAVES):
            fold = fold + wave(x, y, 2 * turns[:, k : k + 1], phases[:, k : k + 1], 0.5 + 7.5 * pitches[:, k : k + 1])
        value = 0.35 + 0.3 * r[:, 0]
        return rgb(r[:, 1], 0.2 + 0.4 * r[:, 2], value) + 0.09 * fold[:, None]
