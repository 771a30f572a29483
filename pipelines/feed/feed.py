"""What each optimizer step sees: a global batch of images that depends on seed, epoch and position only."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, nullcontext
from typing import Any, Protocol, TypeVar

import torch
from jaxtyping import Int64
from torch import Tensor

from sslgraph import draws
from sslgraph.errors import SslgraphError
from sslgraph.views.views import ViewProgram, clock_of, clocked

Batch = dict[str, Tensor]
Images = Tensor | list[Tensor]
Index = Int64[Tensor, "batch"]
Read = Callable[[Index], tuple[Images, Index]]
Thing = TypeVar("Thing")
# The share of an accelerator's free memory that the images of a data set may fill.
RESIDENT_SHARE = 0.3
# Steps whose decoded images wait for their views to be made: large photographs fill the memory.
READ_AHEAD = 1


class Source(Protocol):
    """Where images come from: a class of components/sources, or one's own.

    It may have a `listing() -> Iterator[bytes]`: names and sizes in order, by which a run tells its images from others.
    """

    labels: Tensor | None
    classes: tuple[str, ...]
    broken: dict[int, str]

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width, if all images share them."""

    def __len__(self) -> int: ...

    def read(self, indices: Index) -> tuple[Images, Index]:
        """The images, and the indices really read: a broken image is replaced by the next good one."""


def has_labels(source: Source) -> bool:
    """Whether any of the images has a label."""
    return source.labels is not None and bool((source.labels >= 0).any())


class Feed:
    """The batches of one rank.

    The order of an epoch is one permutation of all images, drawn from (seed, epoch); its steps take `batch` images one
    after the other, and the rest at its end is not used. Rank r takes the r-th contiguous slice of the global batch,
    and micro-batches are contiguous slices of that: any number of ranks and micro-batches sees the same steps.

    Settings:
        batch: images of a step over all ranks and micro-batches.
        accumulate: micro-batches of a step.
        ahead: batches that are made before they are asked for; 0 makes each when it is.
        labelled: whether a batch holds x.label for each view x.
        maps: what gives the label maps of some images; a batch then holds x.map for each view x.
    """

    def __init__(
        self,
        source: Source,
        program: ViewProgram,
        *,
        batch: int,
        seed: int = 0,
        accumulate: int = 1,
        rank: int = 0,
        ranks: int = 1,
        device: torch.device | str = "cpu",
        channels_last: bool = False,
        dtype: torch.dtype = torch.float32,
        ahead: int = 2,
        labelled: bool = False,
        maps: Callable[[Index], list[Tensor]] | None = None,
    ) -> None:
        _check(len(source), batch, ranks, accumulate)
        self.source, self.program, self.batch, self.seed = source, program, batch, seed
        self.accumulate, self.rank, self.ranks = accumulate, rank, ranks
        self.device, self.channels_last, self.dtype, self.ahead = torch.device(device), channels_last, dtype, ahead
        self.steps_per_epoch = len(source) // batch
        self._read = reader(source, self.device)
        self._known, self._maps = source.labels if labelled else None, maps
        self._labels: Int64[Tensor, "images"] | None = None
        self.span: Callable[[str], AbstractContextManager[Any]] = nullcontext  # around the making of a batch's views

    def balance(self, labels: Int64[Tensor, "images"] | None) -> None:
        """From the next call of `batches` on, each of these labels comes equally often; None: each image comes once."""
        self._labels = None if labels is None else labels.detach().cpu().clone()

    def batches(self, start: int, stop: int) -> Iterator[list[Batch]]:
        """The micro-batches of this rank for each step from `start` up to before `stop`.

        The images of the next step are read while views of this one are made: one waits, the other works.
        """
        read = prefetched(self._read_steps(start, stop), min(self.ahead, READ_AHEAD))
        return prefetched(self._viewed(read), self.ahead)

    def sweep(self, step: int, views: frozenset[str] | None = None) -> Iterator[Batch]:
        """Once over all images in the order of the data set, the last batch perhaps smaller, with some views or all.

        Without a view no image is read: it is one batch of the clock alone.
        """
        chosen = {name: steps for name, steps in self.program.views.items() if views is None or name in views}
        if not chosen:
            epoch = step // self.steps_per_epoch
            return iter([clock_of(seed=self.seed, epoch=epoch, step=step, device=self.device)])
        program, size = ViewProgram(chosen), self.batch // self.ranks // self.accumulate
        chunks = _everyone(self.source, size)
        return prefetched((self._made(program, *self._read(chunk), step) for chunk in chunks), self.ahead)

    def _read_steps(self, start: int, stop: int) -> Iterator[tuple[int, list[tuple[Images, Index]]]]:
        known, drawn = -1, torch.empty(0, dtype=torch.long)
        for step in range(start, stop):
            epoch, position = divmod(step, self.steps_per_epoch)
            if epoch != known:
                known, drawn = epoch, order(len(self.source), seed=self.seed, epoch=epoch, labels=self._labels)
            mine = drawn[position * self.batch :][: self.batch].chunk(self.ranks)[self.rank]
            yield step, [self._read(piece) for piece in mine.chunk(self.accumulate)]

    def _viewed(self, read: Iterator[tuple[int, list[tuple[Images, Index]]]]) -> Iterator[list[Batch]]:
        with closing(read):  # type: ignore[type-var]  # it is a generator, whose thread ends with it
            for step, pieces in read:
                yield [self._made(self.program, images, index, step) for images, index in pieces]

    def _made(self, program: ViewProgram, images: Images, index: Index, step: int) -> Batch:
        maps = None if self._maps is None else self._maps(index.cpu())
        with self.span("views"):
            return clocked(
                program, images, index, seed=self.seed, epoch=step // self.steps_per_epoch, step=step,
                device=self.device, channels_last=self.channels_last, dtype=self.dtype, labels=self._known,
                maps=maps,
            )  # fmt: skip


def order(count: int, *, seed: int, epoch: int, labels: Int64[Tensor, "images"] | None = None) -> Index:
    """The images of an epoch: each once, or with labels so that all labels come equally often, give or take one.

    A label with too few images draws them with replacement. A negative label is none, and its images are left out.
    """
    if labels is not None:
        return _balanced(labels, count, seed, epoch)
    return _shuffled(count, seed, epoch, "order")


def _balanced(labels: Int64[Tensor, "images"], count: int, seed: int, epoch: int) -> Index:
    members = (labels >= 0).nonzero()[:, 0]
    if not len(members):
        raise SslgraphError("images can't be drawn by label before any has one: a phase must write labels first")
    members = members[_shuffled(len(members), seed, epoch, "members")]
    members = members[labels[members].argsort(stable=True)]  # label by label, in random order within each
    _, there = labels[members].unique_consecutive(return_counts=True)
    wanted = torch.full_like(there, count // len(there))
    wanted[_shuffled(len(there), seed, epoch, "labels")[: count % len(there)]] += 1
    label = torch.arange(len(there)).repeat_interleave(wanted)
    turn = torch.arange(count) - (wanted.cumsum(0) - wanted)[label]
    again = (draws.words(_row(seed, epoch, "repeats"), count)[0] * there[label]) >> 32
    turn = torch.where(wanted[label] <= there[label], turn, again)
    drawn = members[(there.cumsum(0) - there)[label] + turn]
    return drawn[_shuffled(count, seed, epoch, "order")]


def _shuffled(count: int, seed: int, epoch: int, stream: str) -> Index:
    return draws.permutation(_row(seed, epoch, stream), count)[0]


def _row(seed: int, epoch: int, stream: str) -> Int64[Tensor, "1 4"]:
    return draws.keyed(seed, epoch, torch.zeros(1, dtype=torch.long), draws.stream_of(f"feed {stream}"))


def reader(source: Source, device: torch.device) -> Read:
    """How images are read: out of an accelerator's memory if they have one size and fit there, else from the source."""
    size = source.size
    if device.type != "cuda" or size is None:
        return source.read
    (first, *_), _ = source.read(torch.zeros(1, dtype=torch.long))
    if len(source) * first.numel() > RESIDENT_SHARE * torch.cuda.mem_get_info(device)[0]:
        return source.read
    read = [source.read(chunk) for chunk in _everyone(source, 4096)]
    pixels = torch.cat([images.to(device) for images, _ in read if isinstance(images, Tensor)])
    really = torch.cat([index for _, index in read])
    return lambda wanted: (pixels[wanted.to(device)], really[wanted])


def prefetched(things: Iterable[Thing], ahead: int) -> Iterator[Thing]:
    """The same things in the same order, made by a thread up to `ahead` before they are asked for.

    An error of the thread is raised where its item is read; the thread ends with the iterator.
    """
    if not ahead:
        yield from things
        return
    supply, end = iter(things), _End()
    with ThreadPoolExecutor(1, thread_name_prefix="feed") as thread:
        coming = deque(thread.submit(next, supply, end) for _ in range(ahead))
        try:
            while not isinstance(thing := coming.popleft().result(), _End):
                coming.append(thread.submit(next, supply, end))
                yield thing
        finally:
            for later in coming:
                later.cancel()


class _End:
    """What follows the last thing."""


def _everyone(source: Source, size: int) -> tuple[Index, ...]:
    return tuple(torch.arange(len(source)).split(size))


def _check(images: int, batch: int, ranks: int, accumulate: int) -> None:
    if batch > images:
        raise SslgraphError(
            f"a batch of {batch} images is larger than the data set, which has {images}; set batch to at most {images}"
        )
    if batch % (ranks * accumulate):
        raise SslgraphError(
            f"a batch of {batch} images can't be shared evenly by {ranks} ranks with {accumulate} micro-batches each; "
            f"set batch to a multiple of {ranks * accumulate}"
        )
