"""Colour jitter: brightness, contrast, saturation and hue changed by chance, in an order of its own for each sample."""

from __future__ import annotations

import itertools
from functools import partial

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.draws import Draw, words
from sslgraph.ranges import HueShift, NotNegative, Share

from . import native
from .chance import COLOURS, checked, chosen, only_colours
from .native import Operation
from .planes import Plane, hue_turned, in_eager_mode_on_cpu, luma, mean_of, on_rows, sixths_of

_BRIGHTNESS, _CONTRAST, _SATURATION, _HUE = range(4)
_NAMES = ("brightness", "contrast", "saturation", "hue")
_OPERATIONS = (Operation.BRIGHTNESS, Operation.CONTRAST, Operation.SATURATION, Operation.HUE)
_NOTHING = (1.0, 1.0, 1.0, 0.0)
_ORDERS = torch.tensor(list(itertools.permutations(range(4))))


@component(source="torchvision.transforms.v2.ColorJitter; arXiv:2002.05709, appendix A")
class ColorJitter(nn.Module):
    """Four changes in random order, each clamped to 0..1. With x an image, gray its grey value, mean over its pixels:

        brightness  f x          contrast  f x + (1 - f) mean(gray(x))
        saturation  f x + (1 - f) gray(x)          hue  turned by f of a circle in HSV

    f ~ U(max(0, 1 - s), 1 + s) for a strength s; for the hue f ~ U(-s, s).

    Settings:
        brightness, contrast, saturation: strengths, no unit.
        hue: strength, parts of a whole turn, at most 0.5.
        p: probability, or a list with one for each copy of a bag.
    """

    def __init__(
        self,
        *,
        brightness: NotNegative = 0.4,
        contrast: NotNegative = 0.4,
        saturation: NotNegative = 0.4,
        hue: HueShift = 0.1,
        p: Share | list[Share] = 0.8,
    ) -> None:
        super().__init__()
        if min(brightness, contrast, saturation, hue) < 0 or hue > 0.5:
            raise ValueError("the strengths of colour jitter are not negative, and that of the hue at most 0.5")
        self.brightness = brightness
        self.contrast = contrast
        self.saturation = saturation
        self.hue = hue
        self.p = checked(p)

    def plan(self, draw: Draw) -> tuple[Int64[Tensor, "rows 4"], Float[Tensor, "rows 4"]]:
        """Which change comes first, second, ..., and the f of each; a sample left alone has those that do nothing."""
        numbers = words(draw, 6)
        u = (numbers[:, :4] >> 8).double() * 2.0**-24
        strengths = (self.brightness, self.contrast, self.saturation)
        low = torch.tensor([*(max(0.0, 1 - s) for s in strengths), -self.hue], dtype=torch.float64)
        high = torch.tensor([*(1 + s for s in strengths), self.hue], dtype=torch.float64)
        nothing = torch.tensor(_NOTHING, dtype=torch.float64)
        touched = chosen(numbers[:, 5], self.p)[:, None]
        factors = torch.where(touched, low + (high - low) * u, nothing).float()
        return _ORDERS[(numbers[:, 4] * 24) >> 32], factors

    def colours(self, order: Int64[Tensor, "rows 4"], factors: Float[Tensor, "rows 4"]) -> Float[Tensor, "rows 4"]:  # noqa: ARG002
        """What a flow reads as x.colours: the f of each change; 1, 1, 1, 0 for a sample left alone."""
        return factors

    def takes(self, channels: int) -> None:
        """Refuses other images than those of red, green and blue, unless it leaves all of them alone."""
        only_colours(channels, self.p)

    def in_words(self, order: Int64[Tensor, "rows 4"], factors: Float[Tensor, "rows 4"]) -> dict[int, tuple[str, ...]]:
        """The changes of each sample that was not left alone, first to last."""
        texts = {}
        for row, (changes, values) in enumerate(zip(order.tolist(), factors.tolist(), strict=True)):
            done = [c for c in changes if values[c] != (c != _HUE)]
            # Adding 0 takes the sign off a rounded zero.
            texts[row] = tuple(f"{_NAMES[c]} {round(values[c], 2) + 0:{'+.2f' if c == _HUE else '.2f'}}" for c in done)
        return {row: text for row, text in texts.items() if text}

    def forward(
        self,
        images: Float[Tensor, "batch channels height width"],
        order: Int64[Tensor, "batch 4"],
        factors: Float[Tensor, "batch 4"],
    ) -> Float[Tensor, "batch channels height width"]:
        if images.shape[1] != COLOURS:  # p is 0
            return images
        if native.paint(images, *_operations(order, factors)):
            return images
        return (_by_orders if in_eager_mode_on_cpu(images) else _by_slots)(images, order, factors)


def _operations(order: Tensor, factors: Tensor) -> tuple[Tensor, Tensor]:
    """The changes as pixels.c takes them: their numbers [batch, 4], and what each needs [batch, 4, 3]."""
    numbers = torch.stack([factors, 1 - factors, torch.zeros_like(factors)], 2)
    numbers[:, _HUE] = sixths_of(factors[:, _HUE]).T
    nothing = torch.tensor(_NOTHING, device=factors.device)
    each = torch.tensor(_OPERATIONS, dtype=torch.int32, device=factors.device)
    due = torch.where(factors == nothing, Operation.KEEP, each)
    return due.gather(1, order), numbers.gather(1, order[:, :, None].expand(-1, -1, 3))


def _by_orders(images: Tensor, order: Tensor, factors: Tensor) -> Tensor:
    """All samples with one order of changes together, in place; each change is paid for where it is due, and once."""
    number = (order * torch.tensor([64, 16, 4, 1])).sum(1)
    touched = (factors != torch.tensor(_NOTHING)).any(1)
    for this in number[touched].unique().tolist():
        rows = torch.nonzero(touched & (number == this))[:, 0]
        work = partial(_change, changes=order[rows[0]].tolist(), factors=factors[rows])
        on_rows(images, rows, work)
    return images


def _change(planes: Tensor, which: slice, changes: list[int], factors: Tensor) -> None:
    for change in changes:
        factor = factors[which, change]
        if change == _HUE:
            _turn(planes, factor)
            continue
        f = factor[:, None, None]
        added = None
        if change != _BRIGHTNESS:
            gray = luma(planes)
            added = (1 - f) * (mean_of(gray) if change == _CONTRAST else gray)
        planes *= f
        if added is not None:
            planes += added
        planes.clamp_(0, 1)


def _turn(planes: Tensor, turns: Tensor) -> None:
    still = turns == 0  # exactly as it is, as without a hue
    if bool(still.all()):
        return
    kept = planes[:, still] if bool(still.any()) else None
    hue_turned(planes, turns, out=planes)
    if kept is not None:
        planes[:, still] = kept


def _by_slots(images: Tensor, order: Tensor, factors: Tensor) -> Tensor:
    """The same for any order with fixed shapes and without a branch, so that a compiler makes two kernels of it.

    Contrast needs the image's mean and divides the work in two halves; in each, the hue stands between two slots
    before it and two after it. A slot in which a sample has nothing due changes nothing.
    """
    scales, grays, turns = _slots(order, factors)
    planes = _half(images.unbind(1), scales[:, :4], grays[:, :4], turns[:, 0])
    contrast = factors[:, _CONTRAST, None, None]
    added = (1 - contrast) * mean_of(luma(planes))
    planes = tuple((contrast * plane + added).clamp(0, 1) for plane in planes)
    return torch.stack(_half(planes, scales[:, 4:], grays[:, 4:], turns[:, 1]), 1)


def _slots(order: Tensor, factors: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The weights of the image and of its grey value in the eight slots, and the turns of the hue in the two halves."""
    place = torch.argsort(order, 1)  # place[:, change] is when that change is due
    late = place > place[:, _CONTRAST, None]
    slot = 4 * late.long() + 2 * (place > place[:, _HUE, None]).long()
    is_later = (place[:, _BRIGHTNESS] > place[:, _SATURATION]).long()
    brightness = (slot[:, _BRIGHTNESS] + is_later)[:, None]
    saturation = (slot[:, _SATURATION] + 1 - is_later)[:, None]
    factor = factors[:, _SATURATION, None]
    scales = torch.ones(len(order), 8, device=order.device).scatter(1, brightness, factors[:, _BRIGHTNESS, None])
    grays = torch.zeros(len(order), 8, device=order.device).scatter(1, saturation, 1 - factor)
    halves = torch.stack([~late[:, _HUE], late[:, _HUE]], 1)
    return scales.scatter(1, saturation, factor), grays, torch.where(halves, factors[:, _HUE, None], 0.0)


def _half(planes: tuple[Plane, ...], scales: Tensor, grays: Tensor, turns: Tensor) -> tuple[Plane, ...]:
    for slot in range(4):
        if slot == 2:
            still = (turns == 0)[:, None, None]  # exactly as it is, as without a hue
            turned = hue_turned(planes, turns)
            planes = tuple(torch.where(still, old, new) for old, new in zip(planes, turned, strict=True))
        scale, gray = scales[:, slot, None, None], grays[:, slot, None, None] * luma(planes)
        planes = tuple((scale * plane + gray).clamp(0, 1) for plane in planes)
    return planes
