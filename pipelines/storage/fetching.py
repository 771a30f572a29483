"""Copies a run at an address to this machine: into its working folder, or into one for looking at it."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sslgraph import home
from sslgraph.files import whole_file
from sslgraph.files.addresses import is_address

from . import checkpoint, interrupt, lease, metrics_file
from .remote import Remote

CHECKPOINTS = "checkpoints"
PART = re.compile(r"metrics/(\d{6})-(\d{6})\.jsonl")  # generation, number: each start begins a new generation
UNSENT = ".unsent"  # in the folder here, with the name that the run has there: something may be newer here
RUN = "run_id"


def folder_of(address: str) -> Path:
    """The folder of this machine in which a run at an address works."""
    name = re.sub(r"\W+", "-", address.partition("://")[2]).strip("-")[-60:]
    return home.cache() / "runs" / f"{name}-{hashlib.sha256(address.rstrip('/').encode()).hexdigest()[:12]}"


def fetch(remote: Remote, folder: Path, *, newest_only: bool = False) -> None:
    """Makes the folder equal to the address, but keeps a newer checkpoint that a killed run has left here unsent."""
    names = remote.names()
    whole = complete(names)
    if _is_ahead(remote, folder, whole):
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    wanted = set(whole[-1:] if newest_only else whole)
    for name in names:
        top, _, rest = name.partition("/")
        is_wanted = rest.partition("/")[0] in wanted if top == CHECKPOINTS else True
        if is_wanted and not PART.fullmatch(name) and name not in (lease.NAME, RUN, interrupt.FILE):
            remote.fetch(name, folder / name)
    if parts := _newest_parts(names):
        text = b"".join(remote.read(name) or b"" for name in parts)
        whole_file.put(folder / metrics_file.NAME, text)


def visit(place: str) -> Path:
    """The run at a place as a folder: itself, or a copy of an address."""
    if not is_address(place):
        return Path(place)
    folder = folder_of(place)
    folder = folder.with_name(f"{folder.name}-visit")
    fetch(Remote(place), folder)
    return folder


@contextmanager
def visited(place: str) -> Iterator[Path]:
    """The same; files that the block writes into it are sent to the address."""
    folder = visit(place)
    before = {file: file.stat().st_mtime_ns for file in folder.iterdir()} if is_address(place) else {}
    yield folder
    for file in folder.iterdir() if is_address(place) else ():
        if file.is_file() and not file.name.startswith(".") and before.get(file) != file.stat().st_mtime_ns:
            Remote(place).send(file.name, file)


def newest(place: str) -> str | None:
    """The name of the newest complete checkpoint of the run in a folder or at an address."""
    if is_address(place):
        return max(complete(Remote(place).names(CHECKPOINTS)), default=None)
    return max((path.name for path in checkpoint.complete(Path(place) / CHECKPOINTS)), default=None)


def ask(place: str) -> None:
    """Asks the run in a folder or at an address to stop, wherever it runs."""
    if is_address(place):
        Remote(place).put(interrupt.FILE, b"")
    else:
        interrupt.ask(Path(place))


def complete(names: Iterable[str]) -> list[str]:
    """The checkpoints whose marker is there, oldest first."""
    found = (re.fullmatch(rf"{CHECKPOINTS}/(step_\d+)/{checkpoint.MARKER}", name) for name in names)
    return sorted(match[1] for match in found if match)


def _newest_parts(names: dict[str, int]) -> list[str]:
    parts = sorted(name for name in names if PART.fullmatch(name))
    return [name for name in parts if name.split("-")[0] == parts[-1].split("-")[0]]


def _is_ahead(remote: Remote, folder: Path, whole: list[str]) -> bool:
    """Whether the folder here holds newer work of the very run that is at the address."""
    mark = folder / UNSENT
    here = [path.name for path in checkpoint.complete(folder / CHECKPOINTS) if checkpoint.is_whole(path)]
    is_same = mark.is_file() and mark.read_bytes() == remote.read(RUN)
    return bool(is_same and here and (not whole or here[-1] > whole[-1]))
