"""A run's folder: one run writes into it at a time, and errors of its storage are explained."""

from __future__ import annotations

import errno
import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import IO, TypeVar

import torch

from sslgraph import collectives
from sslgraph.errors import SslgraphError, StorageError
from sslgraph.files import whole_file, write_whole

from . import checkpoint

Made = TypeVar("Made")
LOCK = ".lock"
PATIENCE_S = 30.0  # workers of a driver that was killed write on for some seconds


def fresh(name: str) -> Path:
    """Makes a new folder runs/NAME-TIME, which no other start has, however many begin in this second."""
    first = Path("runs").resolve() / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
    for number in count(1):
        folder = first if number == 1 else first.with_name(f"{first.name}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as problem:
            raise SslgraphError(
                f"{folder} can't be made: {write_whole.reason(problem)}; give another place with --out"
            ) from problem
        return folder
    raise AssertionError("numbers do not end")


@contextmanager
def not_left_empty(folder: Path) -> Iterator[None]:
    """Removes the folder if the block fails before anything is written into it."""
    try:
        yield
    except SslgraphError:
        with suppress(OSError):  # it has something in it, or is gone
            folder.rmdir()
        raise


def text_of(folder: Path) -> Path | None:
    """The file of a run's resolved text: that of its newest whole checkpoint, else its own; None if there is none."""
    saved = [path for path in checkpoint.complete(folder / "checkpoints") if checkpoint.is_whole(path)]
    own = folder / checkpoint.TEXT
    if saved:
        return saved[-1] / checkpoint.TEXT
    return own if own.is_file() and own.stat().st_size else None


def restore_text(folder: Path) -> Path | None:
    """The run's own resolved text, written anew from the checkpoint where it is not the same; None if there is none."""
    found, own = text_of(folder), folder / checkpoint.TEXT
    if found is not None and (not own.is_file() or own.read_bytes() != found.read_bytes()):
        with write_whole.told(own, "--out"):
            whole_file.put(own, found.read_bytes())
    return None if found is None else own


@contextmanager
def held(folder: Path, device: torch.device) -> Iterator[None]:
    """Holds the folder for this run until the block or the process ends; ranks wait until the first one has it."""

    def opened() -> IO[str]:
        with write_whole.told(folder, "--out"):
            folder.mkdir(parents=True, exist_ok=True)
            file = (folder / LOCK).open("w")
            _lock(file, folder)
        return file

    file = by_the_first(device, opened)
    try:
        yield
    finally:
        if file is not None:
            file.close()


@contextmanager
def told(folder: Path) -> Iterator[None]:
    """An error of storage within the block becomes a sentence that says what of the run is left."""
    cure = f"when it is mended, the same command with --out {folder} continues"
    try:
        yield
    except StorageError as away:  # of the images
        raise StorageError(f"{away}; {checkpoint.standing(folder / 'checkpoints')}; {cure}") from away
    except OSError as problem:
        if problem.errno is None:  # what other code made up; storage has numbers
            raise
        there = checkpoint.standing(folder / "checkpoints")
        if problem.errno in checkpoint.FULL:
            raise SslgraphError(f"no space is left ({problem}); {there}") from problem
        raise StorageError(f"reading or writing failed ({problem}); {there}; {cure}") from problem


def shown(folder: Path) -> str:
    """The folder as a person types it here: relative if it is below the working folder."""
    here = Path.cwd()
    return str(folder.relative_to(here) if folder.is_relative_to(here) else folder)


def by_the_first(device: torch.device, work: Callable[[], Made]) -> Made | None:
    """What the first rank makes while the others wait; its fault ends all of them."""
    made, fault = None, None
    if collectives.rank() == 0:
        try:
            made = work()
        except SslgraphError as wrong:
            fault = wrong
    agree(fault, device)
    return made


def agree(fault: SslgraphError | None, device: torch.device) -> None:
    """A fault of one rank ends all of them: the others would wait for it in their next message."""
    faults = collectives.all_sum(torch.tensor(float(fault is not None), device=device))
    if fault is not None:
        raise fault
    if faults > 0:
        raise SslgraphError("another rank failed; its message says why")


def _lock(file: IO[str], folder: Path) -> None:
    """Locks the file as soon as nobody else does; SslgraphError if that takes too long."""
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                file.close()
                raise SslgraphError(
                    f"another run writes into {folder}; end it, or choose another folder with --out"
                ) from None
            time.sleep(0.2)
        except OSError as problem:
            if problem.errno in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS):  # this storage has no locks
                return
            raise
        else:
            return
