"""What `sslgraph data` reports of a path: splits, classes, sizes, brightness, and what is left out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from sslgraph import draws
from sslgraph.amounts import counted
from sslgraph.errors import SslgraphError, StorageError
from sslgraph.escaping import on_one_line
from sslgraph.parts import registry

from ..check.request import located, source_for
from .feed import Source, has_labels
from .portion import portion

COLOURS = 3
NAMED = 8  # classes that are named, and images that can't be read


def inspect(path: str, settings: Mapping[str, Any] | None = None, *, sample: int = 256) -> str:
    """Each split of a path in a few lines, from all names and labels and the pixels of at most `sample` images.

    SslgraphError with the same lines where no image to train on can be read.
    """
    lines, notes, trained, can_read = [], list[str](), None, False
    for split, source in splits_at(path, settings):
        chosen = draws.fair(len(source), sample, source.labels)
        start = time.perf_counter()
        try:
            images, _ = source.read(chosen)
        except StorageError:
            raise
        except SslgraphError as reason:  # what is missing before pixels can be read
            lines.append(f"{split}: {portion(source)}\n  {reason}")
            notes += [note for note in getattr(source, "notes", ()) if note not in notes]
            continue
        can_read = can_read or split == "train"
        rate = len(chosen) / (time.perf_counter() - start)
        sides = sorted({tuple(image.shape[1:]) for image in images})
        channels = "" if len(images[0]) == COLOURS else f" of {len(images[0])} channels"
        sizes = f"{sides[0][0]}x{sides[0][1]}" + (f" to {sides[-1][0]}x{sides[-1][1]}" if len(sides) > 1 else "")
        lines.append(
            f"{split}: {portion(source)}{'' if has_labels(source) else ', no labels'}, {sizes}{channels}; "
            f"{rate:,.0f} images/s"
        )
        lines += [f"  {line}" for line in (*_classes(source), *_unseen(source, trained), _brightness(images))]
        trained = source.labels if split == "train" else trained
        lines.append(f"  {len(source.broken)} of {len(chosen)} tried can't be read")
        lines += [f"    {reason}" for reason in list(source.broken.values())[:NAMED]]
        columns = getattr(source, "columns", ())
        said = [f"columns: {', '.join(columns)}"] if columns else []
        notes += [note for note in (*said, *getattr(source, "notes", ())) if note not in notes]
    text = "\n".join([*lines, *notes])
    if not can_read:
        raise SslgraphError(f"{text}\nno image to train on can be read at {path}")
    return text


def splits_at(
    path: str, settings: Mapping[str, Any] | None = None, at_least: int | None = None
) -> Iterator[tuple[str, Source]]:
    """The training and the held-out images at a path; only the former where there are too few to hold some out."""
    absolute = located(path)
    use = source_for(absolute)
    known = registry.signature(use).settings
    # Read in order, a large row group costs no more than a small one. A JPEG of at least twice the size that is asked
    # for gives it with less error than the next encoding makes (docs/performance.md, Photographs).
    wanted = {"largest_group": 1e6, "at_least": at_least}
    given = {name: value for name, value in wanted.items() if name in known} | dict(settings or {})
    train: Source = registry.build(use, {"path": absolute, "split": "train", "memory": 0.0, **given})
    yield "train", train
    try:
        yield "test", registry.build(use, {"path": absolute, "split": "test", "memory": 0.0, **given})
    except SslgraphError:  # a set too small to hold images out has no test split, and needs none
        return


def _classes(source: Source) -> list[str]:
    if source.labels is None or not has_labels(source):
        return []
    known = source.labels[source.labels >= 0]
    numbers, there = known.unique(return_counts=True)
    names = [source.classes[i] for i in numbers.tolist() if i < len(source.classes)]
    named = ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")
    lacking = len(source.labels) - len(known)
    least, most = int(there.min()), int(there.max())
    each = ("" if least == most else f"{least:,} to ") + f"{counted(most, 'image')} each"
    without = f"; {counted(lacking, 'image')} without a label" if lacking else ""
    return [f"classes: {on_one_line(named) or 'numbers without names'}; {each}{without}"]


def _unseen(source: Source, trained: Tensor | None) -> list[str]:
    """What is said of held-out images whose classes no training image has."""
    if source.labels is None or trained is None or not bool((trained >= 0).any()):
        return []
    its = source.labels[(source.labels >= 0) & ~torch.isin(source.labels, trained)]
    if not len(its):
        return []
    names = [source.classes[i] if i < len(source.classes) else str(i) for i in its.unique().tolist()]
    return [
        f"{counted(len(its), 'image')} of classes that no training image has: {on_one_line(', '.join(names[:NAMED]))}"
    ]


def _brightness(images: Tensor | list[Tensor]) -> str:
    """The least and the greatest value, and mean and standard deviation of each channel, of 1."""
    pixels = torch.cat([image.flatten(1).float() / 255 for image in images], 1)
    spread, mean = torch.std_mean(pixels, dim=1, correction=0)
    numbers = [", ".join(f"{value:.3f}" for value in values.tolist()) for values in (mean, spread)]
    low, high = float(pixels.min()) * 255, float(pixels.max()) * 255
    return f"brightness {low:.0f} to {high:.0f} of 255, mean [{numbers[0]}], std [{numbers[1]}]"
