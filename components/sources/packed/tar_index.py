"""What the headers of a tar shard say: where each image lies, and the label that stands beside it."""

from __future__ import annotations

import json
import re
import tarfile
from typing import IO, Any

import numpy as np

from sslgraph.errors import SslgraphError

from ..decode.decoding import SUFFIXES
from ..decode.mistaken import said_of
from ..stores.index_cache import Arrays, remembered
from ..stores.skipped import Skipped, is_hidden
from ..stores.store import File, Store
from ..tables.labels import NONE, USUAL, raw

# Headers lie scattered over a shard. A piece this large costs a request little more than one of a few kilobytes.
PIECE = 4 * 2**20
LONGEST = 200  # characters of a label
PACKED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"PK")  # how compressed files begin
COMPANION = re.compile(r"[A-Za-z_]+")  # 0.seg.png beside 0.png


def indexed(store: Store, file: File, label: str | None) -> Arrays:
    """Offsets, sizes, names and labels ("" for none) of the images, keys of json, and what is not read, kept."""
    return remembered(f"tar 4 {label}", store.place(file.name), file, lambda: _Headers(store, file, label).arrays())


class _Headers:
    """The members of a shard, in their order; a tar in it is read like a folder.

    A sample is an image and what shares its name up to the last dot, or up to the first. Several of one name are
    several samples; a label belongs to the image before it, or to the next.
    """

    def __init__(self, store: Store, file: File, label: str | None) -> None:
        self.label, self.end = label, file.size
        self.images: list[tuple[int, int, str]] = []
        self.labels: dict[int, str] = {}
        self.latest: dict[str, int] = {}  # the newest image of a name
        self.waiting: dict[str, str] = {}  # labels before their image
        self.keys: dict[str, None] = {}
        self.skipped = Skipped()
        try:
            with store.open(file, PIECE) as shard, tarfile.open(fileobj=shard, mode="r:") as tar:
                self._members(shard, tar, "", file.size)
                shard.seek(tar.offset)
                if not shard.read(tarfile.BLOCKSIZE):  # cut between two samples, where tarfile sees a whole archive
                    raise tarfile.ReadError("it ends without the mark of an end")
        except (tarfile.TarError, OSError) as reason:
            with store.open(file, PIECE) as shard:
                head = shard.read(PIECE)
                if head.startswith(PACKED):
                    raise SslgraphError(
                        f"{store.place(file.name)} is compressed and can't be read in any order: unpack it to .tar"
                    ) from reason
            raise SslgraphError(
                f"{store.place(file.name)} can't be read as a tar file ({said_of(head) or reason}); "
                "fetch it again, or remove it"
            ) from reason

    def arrays(self) -> Arrays:
        """All that was found, without companions of images such as masks."""
        plain = {stem for stem in self.latest if "." not in stem.rpartition("/")[2]}
        kept, labels = [], []
        for number, (_, _, name) in enumerate(self.images):
            stem = name.rpartition(".")[0]
            first = _first(stem)
            if first in plain and first != stem and COMPANION.fullmatch(stem[len(first) + 1 :]):
                self.skipped.note("image", "stands beside another image of its sample", name)
                continue
            kept.append(number)
            labels.append(self.labels.get(number, self.waiting.get(first, "")))
            if number not in self.labels and not labels[-1] and first in self.latest:
                labels[-1] = self.labels.get(self.latest[first], "")
        rows = ((what, why, str(count), name) for (what, why), (count, name) in self.skipped.found.items())
        left_out = [[text.encode("utf-8", "replace").decode() for text in row] for row in rows]
        offsets, sizes, names = zip(*(self.images[i] for i in kept), strict=True) if kept else ((), (), ())
        return {
            "offsets": np.array(offsets, dtype=np.int64),
            "sizes": np.array(sizes, dtype=np.int64),
            "names": np.array([name.encode("utf-8", "surrogateescape") for name in names], dtype=np.bytes_),
            "labels": np.array(labels, dtype=np.str_),
            "keys": np.array(list(self.keys), dtype=np.str_),
            "skipped": np.array(left_out, dtype=np.str_).reshape(-1, 4),
        }

    def _members(self, shard: IO[bytes], tar: tarfile.TarFile, above: str, end: int) -> None:
        for member in tar:
            if member.offset_data > end:  # a tar inside without an end: what follows is the outer one's
                return
            name = above + "/".join(part for part in member.name.split("/") if part not in ("", ".", ".."))
            if member.isdir():
                continue
            if not member.isreg() or member.issparse():
                self.skipped.note("link or sparse file", "no image of its own", name)
                continue
            if member.offset_data + member.size > self.end:
                raise tarfile.ReadError(f"{name} is cut short")
            if is_hidden(name):
                self.skipped.note("hidden file", "skipped", name)
            else:
                self._member(shard, member, name)

    def _member(self, shard: IO[bytes], member: tarfile.TarInfo, name: str) -> None:
        stem, _, ending = name.rpartition(".")
        ending = ending.lower()
        if f".{ending}" in SUFFIXES:
            number = self.latest[stem] = len(self.images)
            self.images.append((member.offset_data, member.size, name))
            if stem in self.waiting:
                self.labels[number] = self.waiting.pop(stem)
        elif ending == "tar":
            shard.seek(member.offset_data)
            with tarfile.open(fileobj=shard, mode="r:") as inner:
                self._members(shard, inner, f"{stem}/", member.offset_data + member.size)
        elif ending == (self.label or "cls").lower() or ending == "json":
            shard.seek(member.offset_data)
            self._labelled(stem, self._label(shard.read(member.size), ending, name))
        else:
            self.skipped.ending(name)

    def _labelled(self, stem: str, label: str) -> None:
        number = self.latest.get(stem)
        if not label:
            return
        if number is not None and number not in self.labels:
            self.labels[number] = label
        else:
            self.waiting[stem] = label

    def _label(self, text: bytes, ending: str, name: str) -> str:
        if ending != "json":
            return text.decode("utf-8", "replace").strip()[:LONGEST]
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            self.skipped.note(".json file", "can't be read as json", name)
            return ""
        if not isinstance(found, dict):
            self.skipped.note(".json file", "holds no keys", name)
            return ""
        there = {key: said for key, value in found.items() if (said := _said(value))}
        for key in (self.label, *USUAL):
            if isinstance(found.get(key), dict | list):
                self.skipped.note("label", f"under {key} stands no number or word", name)
        self.keys |= dict.fromkeys(list(there)[:50])
        keys = USUAL if self.label is None else (self.label,)
        return next((there[key] for key in keys if key in there), "")


def _first(stem: str) -> str:
    """A name up to the first dot."""
    folder, slash, name = stem.rpartition("/")
    return f"{folder}{slash}{name.partition('.')[0]}"


def _said(value: Any) -> str:
    """A value of json as the text of a label; "" if it says no class."""
    found = raw([value])
    return "" if found is None or found[0] == NONE else str(found[0])[:LONGEST]
