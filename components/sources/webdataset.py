"""Tar shards in the form of WebDataset: the files of a sample stand in a row and share a name up to the first dot."""

from __future__ import annotations

import json
import re
import tarfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

import torch
from jaxtyping import Int64
from torch import Tensor

from sslgraph.component import component
from sslgraph.errors import SslgraphError

from .album import Album, Picture, decode, held_out, limited
from .image_folder import SUFFIXES

SPLITS = {"train": ("train",), "test": ("test", "val", "validation", "valid")}
THREADS = 8  # shards whose headers are read at a time


@dataclass(frozen=True)
class Shard:
    """Where the images of one tar file begin, their sizes in bytes, their names, and labels (None: it has none)."""

    offsets: tuple[int, ...]
    sizes: tuple[int, ...]
    names: tuple[str, ...]
    labels: tuple[int | None, ...]


@component(source="own; the form is that of the webdataset library")
class WebDataset:
    """Images in tar files, each read where it lies: any order and any resume are exact, and nothing is unpacked.

    A sample is a file such as 000123.jpg, with its label in 000123.cls (a number) or in 000123.json (under "label"), or
    with none. Headers of all shards are read once at the start (some 20,000 samples a second from a local disk);
    pixels only when they are asked for. The order is that of the shards' names. Files or folders whose names
    have the word train, test or val in them are the splits; without such names every tenth image is the test split.
    Class names are the lines of a classes.txt beside the shards.

    Settings:
        path: a folder of .tar files, or one such file.
        split: train or test.
        limit: only the first so many images of the split.
        memory: most that images of one size may take to be held decoded, GiB; 0 decodes them anew each time.
    """

    def __init__(
        self, *, path: str, split: Literal["train", "test"] = "train", limit: int | None = None, memory: float = 4.0
    ) -> None:
        root = Path(path).expanduser().resolve()
        self.shards, is_split = _shards(root, split)
        with ThreadPoolExecutor(THREADS) as threads:
            found = list(threads.map(_headers, self.shards))
        everything = [(shard, row) for shard, content in enumerate(found) for row in range(len(content.sizes))]
        if not everything:
            raise SslgraphError(f"the {split} shards of {path} hold no images; images end in {', '.join(SUFFIXES)}")
        chosen = limited(everything if is_split else held_out(everything, split, path), limit)
        # Numbers of ten million images as lists would fill the memory; as tensors they do not.
        self._shard = torch.tensor([shard for shard, _ in chosen], dtype=torch.int32)
        self._offset = torch.tensor([found[shard].offsets[row] for shard, row in chosen])
        self._size = torch.tensor([found[shard].sizes[row] for shard, row in chosen])
        self._names = [found[shard].names[row] for shard, row in chosen]
        labels = [found[shard].labels[row] for shard, row in chosen]
        self.labels = None if all(x is None for x in labels) else torch.tensor([-1 if x is None else x for x in labels])
        self.classes = _classes(root)
        self._album = Album(count=len(chosen), load=self._load, name=self._name, memory=memory)
        self.broken = self._album.broken

    def __len__(self) -> int:
        return self._album.count

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width if all images share them and fit in memory, else None."""
        return self._album.size

    def read(self, indices: Int64[Tensor, "batch"]) -> tuple[Tensor | list[Tensor], Int64[Tensor, "batch"]]:
        """The images, and the indices that were really read."""
        return self._album.read(indices)

    def _load(self, index: int) -> Picture:
        with self.shards[int(self._shard[index])].open("rb") as file:
            file.seek(int(self._offset[index]))
            return decode(file.read(int(self._size[index])))

    def _name(self, index: int) -> str:
        return f"{self.shards[int(self._shard[index])]}, {self._names[index]}"


def _shards(root: Path, split: str) -> tuple[list[Path], bool]:
    """The files of a split, and whether their names say that they hold it and nothing else."""
    if root.is_file():
        return [root], False
    files = sorted(root.rglob("*.tar"))
    if not files:
        packed = next(iter([*root.rglob("*.tar.*"), *root.rglob("*.tgz")]), None) if root.is_dir() else None
        cure = f"{packed.name} is compressed and can't be read in any order: unpack it to .tar" if packed else (
            "give the folder of the .tar files, or one of them"
        )  # fmt: skip
        raise SslgraphError(f"{root} {'holds no .tar files' if root.is_dir() else 'does not exist'}; {cure}")
    words = {file: set(re.split(r"[^a-z]+", str(file.relative_to(root)).lower())) for file in files}
    found = {name: [file for file in files if words[file] & set(SPLITS[name])] for name in SPLITS}
    if found["train"] and found["test"]:
        return found[split], True
    return found["train"] or files, False


def _headers(shard: Path) -> Shard:
    """What a shard holds, by its headers: an image for each sample, with the label that stands beside it."""
    images: dict[str, tuple[int, int, str]] = {}
    labels: dict[str, int] = {}
    try:
        with tarfile.open(shard, "r:") as tar, shard.open("rb") as file:
            end = shard.stat().st_size
            for member in tar:
                folder, _, name = member.name.rpartition("/")
                stem, _, ending = name.partition(".")
                if not stem or not member.isreg() or member.issparse():
                    continue
                if member.offset_data + member.size > end:
                    raise tarfile.ReadError(f"{member.name} is cut short")
                sample = f"{folder}/{stem}"
                if f".{ending.lower()}" in SUFFIXES:
                    images.setdefault(sample, (member.offset_data, member.size, member.name))
                elif ending in ("cls", "json"):
                    label = _label(file, member, ending)
                    labels |= {} if label is None else {sample: label}
            file.seek(tar.offset)
            if not file.read(tarfile.BLOCKSIZE):  # cut between two samples, where tarfile sees a whole archive
                raise tarfile.ReadError("it ends without the mark of an end")
    except (tarfile.TarError, OSError) as reason:
        raise SslgraphError(f"{shard} can't be read as a tar file ({reason}); fetch it again, or remove it") from reason
    offsets, sizes, names = zip(*images.values(), strict=True) if images else ((), (), ())
    return Shard(offsets, sizes, names, tuple(labels.get(sample) for sample in images))


def _label(file: IO[bytes], member: tarfile.TarInfo, ending: str) -> int | None:
    file.seek(member.offset_data)
    text = file.read(member.size)
    try:
        found = json.loads(text).get("label") if ending == "json" else int(text)
    except (ValueError, AttributeError) as reason:
        raise tarfile.ReadError(f"{member.name} holds no label: {text[:20]!r}") from reason
    return found if isinstance(found, int) else None


def _classes(root: Path) -> tuple[str, ...]:
    beside = (root if root.is_dir() else root.parent) / "classes.txt"
    return tuple(beside.read_text(encoding="utf-8").splitlines()) if beside.is_file() else ()
