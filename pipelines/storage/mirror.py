"""A run whose folder is an address, such as s3://bucket/run: it works in a local folder, which a thread copies.

A checkpoint is sent whole, its marker last; one whose marker is there can be fetched. The record is sent in parts, each
before the checkpoints that follow it. Every start takes what lies at the address as the truth.
"""

from __future__ import annotations

import os
import shutil
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sslgraph.errors import SslgraphError, StorageError

from . import checkpoint, interrupt, metrics_file
from .fetching import CHECKPOINTS, PART, RUN, UNSENT, complete, fetch
from .lease import Lease
from .remote import Remote

SENDING = ".sending"
TICK_S = 2.0
RECORD_S = 60.0  # between two parts of the record, where no checkpoint comes first


@contextmanager
def mirrored(address: str, folder: Path, say: Callable[[str], object]) -> Iterator[None]:
    """Holds the address, fetches what is there, and sends what the block writes: beside it, and the rest at its end."""
    remote = Remote(address)
    with Lease(remote) as lease:
        fetch(remote, folder)
        remote.remove(interrupt.FILE)
        with Mirror(remote, lease, folder, say):
            yield


class Mirror:
    """The thread that sends. Where the storage is away, it says so once and tries again; `__exit__` sends the rest."""

    def __init__(self, remote: Remote, lease: Lease, folder: Path, say: Callable[[str], object]) -> None:
        self.remote, self.lease, self.folder, self.say = remote, lease, folder, say
        there = remote.names()
        self._sent: dict[str, tuple[int, int]] = {}  # size and time of change of what was sent
        self._checkpoints = set(complete(there))
        self._old = [name for name in there if PART.fullmatch(name)]
        self._generation = 1 + max((int(name.split("/")[1][:6]) for name in self._old), default=0)
        self._part, self._offset, self._file = 0, 0, 0  # of the record: parts and bytes that were sent, of which inode
        self._since_record = 0.0
        self._over, self._thread = threading.Event(), threading.Thread(target=self._run, daemon=True, name="mirror")
        self._is_away = False

    def __enter__(self) -> Mirror:
        name = self.remote.read(RUN) or uuid.uuid4().hex.encode()
        self.remote.put(RUN, name)
        (self.folder / UNSENT).write_bytes(name)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._over.set()
        self._thread.join()
        if kind is KeyboardInterrupt:  # the second Ctrl-C: the next start sends what is left
            return
        if self.lease.is_lost:
            raise SslgraphError(f"another run has taken {self.remote.address} over; this one's files are {self.folder}")
        try:
            self.send(is_last=True)
        except StorageError as away:
            raise StorageError(
                f"{away}; what is not sent is complete in {self.folder}, and the same command on this machine sends it"
            ) from away
        (self.folder / UNSENT).unlink(missing_ok=True)
        shutil.rmtree(self.folder / SENDING, ignore_errors=True)

    def send(self, *, is_last: bool = False) -> None:
        """Sends what is new: the record, then checkpoints, newest first; removes those there that are gone here."""
        fresh = [path for path in reversed(self._whole()) if path.name not in self._checkpoints]
        newest = self._held(fresh[0]) if fresh else None
        if fresh or is_last or self._since_record >= RECORD_S:
            self._send_record()
            self._send_files()
        for number, path in enumerate(fresh):
            if (held := self._held(path) if number else newest) is not None:
                self._send_checkpoint(held)
        if fresh:
            self._prune()

    def _run(self) -> None:
        while not self._over.wait(TICK_S):
            self._since_record += TICK_S
            try:
                if self.lease.is_lost or self.remote.read(interrupt.FILE) is not None:
                    interrupt.ask(self.folder)
                if not self.lease.is_lost:
                    self.send()
                self._is_away = False
            except (StorageError, OSError) as away:
                if not self._is_away:
                    self.say(f"{away}; training continues, and what is not sent yet is kept in {self.folder}")
                self._is_away = True

    def _send_record(self) -> None:
        """The lines that were written since; where the file was cut or written anew, all of them, and no older part."""
        file = self.folder / metrics_file.NAME
        about = file.stat() if file.is_file() else None
        if about is not None and (about.st_ino != self._file or about.st_size < self._offset):
            self._old += [self._name(part) for part in range(self._part)]
            self._generation, self._part, self._offset, self._file = self._generation + 1, 0, 0, about.st_ino
        if about is not None and (text := _whole_lines(file, self._offset)):
            self.remote.put(self._name(self._part), text)
            self._part, self._offset = self._part + 1, self._offset + len(text)
        if about is not None:
            self.remote.remove(*self._old)
            self._old = []
        self._since_record = 0.0

    def _name(self, part: int) -> str:
        return f"metrics/{self._generation:06d}-{part:06d}.jsonl"

    def _send_files(self) -> None:
        """All other files of the folder that have changed."""
        for file in sorted(self.folder.rglob("*")):
            name = file.relative_to(self.folder).as_posix()
            if name.startswith((".", CHECKPOINTS)) or name in (metrics_file.NAME, interrupt.FILE) or not file.is_file():
                continue
            about = file.stat()
            if self._sent.get(name) != (about.st_size, about.st_mtime_ns):
                self.remote.send(name, file)
                self._sent[name] = (about.st_size, about.st_mtime_ns)

    def _held(self, path: Path) -> Path | None:
        """A checkpoint by other names, so that it stays while it is sent, though newer ones take its place here."""
        held = self.folder / SENDING / path.name
        shutil.rmtree(held.parent, ignore_errors=True)
        held.mkdir(parents=True)
        try:
            for file in path.iterdir():
                try:
                    os.link(file, held / file.name)
                except PermissionError:  # this disk has no links
                    shutil.copyfile(file, held / file.name)
        except FileNotFoundError:  # it is removed just now
            return None
        return held if checkpoint.is_whole(held) else None

    def _send_checkpoint(self, path: Path) -> None:
        there = f"{CHECKPOINTS}/{path.name}"
        files = sorted(file.name for file in path.iterdir() if file.name != checkpoint.MARKER)
        self.remote.remove(f"{there}/{checkpoint.MARKER}")
        for name in files:
            self.remote.send(f"{there}/{name}", path / name)
        self.remote.send(f"{there}/{checkpoint.MARKER}", path / checkpoint.MARKER)
        self._checkpoints.add(path.name)

    def _prune(self) -> None:
        kept = {path.name for path in self._whole()} | {max(self._checkpoints, default="")}  # never the last one there
        for step in sorted(self._checkpoints - kept):
            there = f"{CHECKPOINTS}/{step}"
            self.remote.remove(f"{there}/{checkpoint.MARKER}", *self.remote.names(there))  # the marker first
            self._checkpoints.discard(step)

    def _whole(self) -> list[Path]:
        return checkpoint.complete(self.folder / CHECKPOINTS)


def _whole_lines(file: Path, start: int) -> bytes:
    with file.open("rb") as opened:
        opened.seek(start)
        text = opened.read()
    return text[: text.rfind(b"\n") + 1]
