"""Pictures read by index: decoded when they are asked for or held decoded; a broken one gives way to the next."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from numpy.typing import NDArray
from torch import Tensor

from sslgraph import draws
from sslgraph.amounts import counted
from sslgraph.errors import SslgraphError
from sslgraph.escaping import on_one_line
from sslgraph.ranges import Count, NotNegative

from ..decode.decoding import Picture
from ..names.splits import SPLITS, TEST, TRAIN, VAL, SplitSettings
from ..tables.labels import Codes

# Pictures whose sizes are compared before all are decoded, and pictures decoded at a time.
PROBED = 16
CHUNK = 1024
# One image of ten is held out of a set that has no test part of its own.
HELD_OUT = 10


class AlbumSettings(SplitSettings, total=False):
    """The settings that `Album` describes, for the sources that pass them on."""

    memory: float


class Album(ABC):
    """What every source of single pictures is: it says how one is loaded, and is read in any order.

    Pictures are loaded on threads when asked for, or once for all if they share a size and fit in `memory` GiB. There
    are as many threads as torch has; or `reads`, where each waits for an answer more than it works. A source adds
    settings of its own, and passes these on.

    Settings:
        split: train or test.
        limit: so many images of the split, drawn once and for all, as many of each class as there are.
        memory: most that images of one size may take to be held decoded, GiB; 0 decodes them anew each time.
    """

    labels: Codes | None = None
    classes: tuple[str, ...] = ()
    # Images and classes of the whole split, of which `limit` may have left a part.
    whole: tuple[int, int] = (0, 0)
    # What a run says of its data before it starts.
    notes: tuple[str, ...] = ()

    # Pictures that are loaded at a time; None: as many as torch has threads.
    reads: int | None = None

    def __init__(
        self, *, split: Literal["train", "test"] = "train", limit: Count | None = None, memory: NotNegative = 4.0
    ) -> None:
        self.split, self.limit, self.memory = split, limit, memory
        self.broken: dict[int, str] = {}

    def choose(
        self, labels: Codes | None, splits: Sequence[int] | NDArray[np.int64] | None, count: int, *, where: str,
        notes: Sequence[str] = (),
    ) -> NDArray[np.int64]:  # fmt: skip
        """Which of so many items are used (see `chosen`); `notes` are said besides what is said of the splits."""
        part = chosen(labels, splits, count, split=self.split, limit=self.limit, where=where)
        self.count, self.labels, self.whole = len(part.rows), part.labels, part.whole
        self.notes = (*part.notes, *notes)
        return part.rows

    @abstractmethod
    def load(self, index: int) -> Picture:
        """One picture; ValueError or OSError if it is broken, StorageError if nothing can be read at all."""

    @abstractmethod
    def name(self, index: int) -> str:
        """What a message calls it."""

    @property
    def label_bytes(self) -> bytes:
        """What tells these labels from others in a listing."""
        return b"" if self.labels is None else self.labels.numpy().tobytes()

    def __len__(self) -> int:
        return self.count

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width if all pictures share them and are held, else None."""
        return None if self._pixels is None else (self._pixels.shape[2], self._pixels.shape[3])

    def read(self, indices: Int64[Tensor, "batch"]) -> tuple[Tensor | list[Tensor], Int64[Tensor, "batch"]]:
        """The pictures at these indices, each broken one replaced by the next good one, and the indices really read."""
        pixels = self._pixels  # before asking what is broken: decoding everything finds out
        wanted = [self._good(i) for i in indices.tolist()]
        if pixels is not None:
            really = torch.tensor(wanted, dtype=torch.long)
            return pixels[really], really
        found = self._tried(wanted)
        while missing := [row for row, picture in enumerate(found) if picture is None]:
            for row in missing:
                wanted[row] = self._good(wanted[row])
            for row, picture in zip(missing, self._tried([wanted[row] for row in missing]), strict=True):
                found[row] = picture
        return [picture for picture in found if picture is not None], torch.tensor(wanted, dtype=torch.long)

    @cached_property
    def _pixels(self) -> UInt8[Tensor, "images 3 height width"] | None:
        if not self.memory:
            return None
        shapes = {picture.shape for picture in self._tried(range(min(PROBED, self.count))) if picture is not None}
        if len(shapes) != 1 or self.count * (shape := shapes.pop()).numel() > self.memory * 2**30:
            return None
        held = torch.zeros((self.count, *shape), dtype=torch.uint8)
        for start in range(0, self.count, CHUNK):
            for row, picture in enumerate(self._tried(range(start, min(start + CHUNK, self.count))), start):
                if picture is not None and picture.shape != shape:
                    return None
                if picture is not None:
                    held[row] = picture
        return held

    def _tried(self, indices: Sequence[int]) -> list[Picture | None]:
        most = min(self.reads or torch.get_num_threads(), len(indices))
        if most < 2:
            return [self._attempt(index) for index in indices]
        with ThreadPoolExecutor(most) as threads:
            return list(threads.map(self._attempt, indices))

    def _attempt(self, index: int) -> Picture | None:
        try:
            return self.load(index)
        except SslgraphError:
            raise
        except (OSError, ValueError) as reason:
            self.broken[index] = on_one_line(f"{self.name(index)}: {reason}")
            return None

    def _good(self, index: int) -> int:
        if len(self.broken) == self.count:
            example = next(iter(self.broken.values()))
            raise SslgraphError(f"none of the {self.count} images can be read, for example {example}")
        while index in self.broken:
            index = (index + 1) % self.count
        return index


@dataclass(frozen=True)
class Chosen:
    """The items of a split that are used, their labels (None if none has one), and what is to be said about it."""

    rows: NDArray[np.int64]
    labels: Codes | None
    whole: tuple[int, int]
    notes: tuple[str, ...] = ()


def chosen(
    labels: Codes | None, splits: Sequence[int] | NDArray[np.int64] | None, count: int, *, split: str,
    limit: int | None, where: str,
) -> Chosen:  # fmt: skip
    """The items of a split, or a fair part of them: by the split of each (see splits), or a tenth for test.

    Held out are the test images, or those of val if only they have labels. `splits` is None where all items are the
    split that is asked for.
    """
    if limit is not None and limit < 1:
        raise SslgraphError(f"limit: {limit} leaves no images; ask for 1 or more, or leave it out for all of them")
    everyone = torch.arange(count)
    notes: tuple[str, ...] = ()
    if splits is not None:
        of_each = torch.as_tensor(splits)
        if count and not bool((of_each == TRAIN).any()):
            there = " and ".join(SPLITS[one] for one in (VAL, TEST) if bool((of_each == one).any()))
            raise SslgraphError(f"{where} holds images of {there} and none to train on; give the folder with the "
                                "training images, or the one folder that is to be trained on")  # fmt: skip
        if bool((of_each > TRAIN).any()):
            other = _held_out(of_each, labels)
            everyone = everyone[of_each == (other if split == "test" else TRAIN)]
            notes = (_said(of_each, other, labels),)
        else:
            everyone = everyone[of_each == TRAIN]
            count = len(everyone)
            if split == "test" and count < HELD_OUT:
                raise SslgraphError(
                    f"{where} has {counted(count, 'image')} and no test split; "
                    f"{HELD_OUT} are needed to hold out a tenth"
                )
            is_test = torch.zeros(count, dtype=torch.bool)
            is_test[draws.each_nth(count, HELD_OUT, None if labels is None else labels[everyone])] = True
            everyone = everyone[is_test == (split == "test")]
            held_out = f"{counted(int(is_test.sum()), 'image')} of {count:,}"
            notes = (f"no folder or name says train and test: a tenth is held out, {held_out}",)
    its = None if labels is None or not bool((labels[everyone] >= 0).any()) else labels[everyone]
    whole = (len(everyone), 0 if its is None else len(its[its >= 0].unique()))
    part = draws.fair(len(everyone), len(everyone) if limit is None else limit, its)
    return Chosen(everyone[part].numpy(), None if its is None else its[part], whole, notes)


def _held_out(splits: Tensor, labels: Tensor | None) -> int:
    there = [one for one in (TEST, VAL) if bool((splits == one).any())]
    labelled = [one for one in there if labels is not None and bool((labels[splits == one] >= 0).any())]
    return (labelled or there)[0]


def _said(splits: Tensor, held_out: int, labels: Tensor | None) -> str:
    """train 60 images; val 60 images, held out; test 12 images, not used (they have no labels)."""
    said = []
    for number, name in enumerate(SPLITS):
        its = splits == number
        has_labels = labels is not None and bool((labels[its] >= 0).any())
        use = ", held out" if number == held_out else "" if number == TRAIN else ", not used"
        if bool(its.any()):
            lacks = "" if has_labels or labels is None else " (they have no labels)"
            said.append(f"{name} {counted(int(its.sum()), 'image')}{use}{lacks}")
    return "splits: " + "; ".join(said)
