"""The features of a data set under the evaluation view: one row an image, with its label."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from sslgraph import draws
from sslgraph.errors import SslgraphError
from sslgraph.settle.evaluating import evaluating
from sslgraph.views.views import ViewProgram

from ..feed.feed import Index, Source, prefetched, reader


@dataclass(frozen=True)
class Features:
    """Rows of features in the order of the data set, without the images that can't be read."""

    values: Float[Tensor, "images dim"]
    index: Int64[Tensor, "images"]
    labels: Int64[Tensor, "images"] | None = None
    classes: tuple[str, ...] = ()

    def of(self, rows: Int64[Tensor, "some"]) -> Features:
        """Some of the rows."""
        labels = None if self.labels is None else self.labels[rows]
        return Features(self.values[rows], self.index[rows], labels, self.classes)

    def labelled(self) -> tuple[Float[Tensor, "images dim"], Int64[Tensor, "images"]]:
        """The rows that have a label, and the labels; refuses features that are no numbers, and data without labels."""
        if self.labels is None or not bool((self.labels >= 0).any()):
            raise SslgraphError(
                "this evaluation compares labels, and the data has none; "
                "training needs none, so leave the evaluation out, or give data with labels"
            )
        if wrong := int((~self.values.isfinite().all(1)).sum()):
            there = len(self.values)
            raise SslgraphError(f"the features of {wrong} of {there} images are nan or infinite: the encoder diverged")
        known = self.labels >= 0
        return self.values[known], self.labels[known]


def extract(
    encoder: nn.Module,
    source: Source,
    program: ViewProgram,
    *,
    batch: int | None = None,
    device: torch.device | str = "cpu",
    precision: torch.dtype = torch.float32,
    channels_last: bool = False,
    images: Index | None = None,
) -> Features:
    """The encoder's features of every image, or of these, in eval mode, without gradients, in float32 on the host.

    `program` makes one view; `precision` is autocast's. `nn.Flatten()` as the encoder gives the pixels themselves.
    """
    rows, kept = [], []
    size = batch or _batch(torch.device(device))
    wanted = (torch.arange(len(source)) if images is None else images).split(size)
    with evaluating(*encoder.modules()):
        for view, index in prefetched(_views(source, program, wanted, torch.device(device), channels_last), 2):
            rows.append(_encoded(encoder, view, precision))
            kept.append(index)
    index = torch.cat(kept) if kept else torch.empty(0, dtype=torch.long)
    labels = None if source.labels is None else source.labels[index]
    return Features(torch.cat(rows) if rows else torch.empty(0, 0), index, labels, source.classes)


@torch.no_grad()
def extract_views(
    encoder: nn.Module, source: Source, program: ViewProgram, *, images: int, views: int,
    batch: int | None = None, device: torch.device | str = "cpu",
) -> Float[Tensor, "images views dim"]:  # fmt: skip
    """The encoder's features of several views of each of so many images, as `program` makes them epoch by epoch.

    The images are drawn fairly; those that can't be read are left out. In eval mode, in float32 on the host, as
    `extract` gives them.
    """
    device = torch.device(device)
    (view, steps), read = next(iter(program.views.items())), reader(source, device)
    rounds, size = -(-views // steps.copies), batch or _batch(device)
    rows = []
    with evaluating(*encoder.modules()):
        for wanted in draws.fair(len(source), images, source.labels).split(max(1, size // steps.copies)):
            pixels, index = read(wanted)
            good = index == wanted
            seen = []
            for epoch in range(rounds):
                made = program(pixels, index, seed=0, epoch=epoch, device=device, channels_last=True)[f"{view}.image"]
                seen += list(_encoded(encoder, made, torch.float32).unflatten(0, (steps.copies, -1)))
            rows.append(torch.stack(seen[:views], 1)[good])
    return torch.cat(rows)


def _batch(device: torch.device) -> int:
    """Images at a time where nobody says: on a processor so few that what a layer gives stays near it."""
    return 256 if device.type == "cuda" else 64


def _views(
    source: Source, program: ViewProgram, wanted: Iterable[Index], device: torch.device, channels_last: bool
) -> Iterator[tuple[Float[Tensor, "batch 3 height width"], Index]]:
    """The one view of each image that can be read, and which images these are."""
    if len(program.views) != 1:
        made = ", ".join(program.views) or "none"
        raise SslgraphError(f"features are taken of one view, and this program makes: {made}")
    view, read = next(iter(program.views)), reader(source, device)
    for some in wanted:
        images, index = read(some)
        views = program(images, index, seed=0, epoch=0, device=device, channels_last=channels_last)
        good = index == some
        if bool(good.any()):
            yield views[f"{view}.image"][good.to(device)], index[good]


@torch.no_grad()
def _encoded(encoder: nn.Module, view: Tensor, precision: torch.dtype) -> Float[Tensor, "batch dim"]:
    view = view.double() if precision == torch.float64 else view
    with torch.autocast(view.device.type, precision, enabled=precision == torch.bfloat16):
        features: Tensor = encoder(view)
    if features.ndim != 2:
        shape = tuple(features.shape)
        raise SslgraphError(f"an exported encoder gives one row of features an image, and this one gives {shape}")
    return features.float().cpu()
