"""Any folder of photographs: nested or flat, labelled by its subfolders or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Literal

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from sslgraph.component import component
from sslgraph.errors import SslgraphError

from .album import Album, chosen
from .decoding import Picture, decode
from .opening import store_at
from .store import Folder, Store

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".avif")
TEST_FOLDERS = ("test", "val", "validation")


@component(source="own", role="last reader")
class ImageFolder(Album):
    """The image files below a folder or an address (s3://bucket/images), in the order of their paths.

    Labels come from the first level of subfolders, and are None if the images lie flat. `train` beside `test` or `val`
    are taken as the two splits; without them every tenth image is the test split. Rotation tags of cameras are obeyed,
    any colour mode becomes RGB, and a file that can't be decoded is replaced by the next one and named in `broken`.
    A bucket is listed at each start, a thousand files a request: a million images are better read from tar shards.

    Settings:
        path: the folder, or the address.
    """

    def __init__(
        self,
        *,
        path: str,
        split: Literal["train", "test"] = "train",
        limit: int | None = None,
        memory: float = 4.0,
        reads: int = 32,
        at_least: int | None = None,
    ) -> None:
        self._store, self._at_least = store_at(path, reads=reads), at_least
        if self._store.only:
            raise SslgraphError(f"the folder {path} is a file; give a folder of images")
        images, others = _image_files(self._store)
        folders = _split_folders([*images, *others])
        folder = folders.get(split, folders["train"])
        files = _below(folder, images)
        self.ignored = tuple(self._store.place(name) for name in _below(folder, others))
        if not files:
            raise SslgraphError(_nothing_found(self._store.place(folder).rstrip("/"), self.ignored))
        names = (_subfolders(place, _below(place, images)) for place in folders.values())
        self.classes = tuple(sorted(set().union(*names)))
        labels = _labels(folder, files, self.classes)
        use, self.whole = chosen(labels, len(files), split=split, is_split="test" in folders, limit=limit, where=path)
        self.files = [files[i] for i in use]
        self.labels = None if labels is None else labels[use]
        self._sizes = np.array([images[name] for name in self.files], dtype=np.int64)
        super().__init__(count=len(self.files), memory=memory, reads=self._store.reads)

    def load(self, index: int) -> Picture:
        """One image."""
        return decode(self._store.read(self.files[index]), self._at_least)

    def name(self, index: int) -> str:
        """Its file."""
        return self._store.place(self.files[index])

    def listing(self) -> Iterator[bytes]:
        """The names below the folder, and the sizes: they are another set's if any of them differs."""
        yield "\n".join(self.files).encode("utf-8", "surrogateescape")
        yield self._sizes.tobytes()


def _image_files(store: Store) -> tuple[dict[str, int], list[str]]:
    """The names of image files with their sizes, in the order of their paths, and the names of the other files."""
    files = store.files()
    if isinstance(store, Folder):
        store.refuse_links_out(files)
    is_image = [PurePosixPath(file.name).suffix.lower() in SUFFIXES for file in files]
    return {f.name: f.size for f, yes in zip(files, is_image, strict=True) if yes}, [
        f.name for f, yes in zip(files, is_image, strict=True) if not yes
    ]


def _split_folders(names: list[str]) -> dict[str, str]:
    """The folders of the splits; a train folder alone is the whole set, and so is the root if there is none."""
    there = {name.partition("/")[0] for name in names if "/" in name}
    test = next((name for name in TEST_FOLDERS if name in there), None)
    if "train" in there and test is not None:
        return {"train": "train/", "test": f"{test}/"}
    return {"train": "train/" if there == {"train"} else ""}


def _below(folder: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(folder)]


def _nothing_found(folder: str, ignored: tuple[str, ...]) -> str:
    example = ignored[0].rpartition("/")[2] if ignored else ""
    there = f"it holds {len(ignored)} other files, such as {example}" if ignored else "it is empty"
    return f"the folder {folder} has no images; {there}, and images end in {', '.join(SUFFIXES)}"


def _subfolders(folder: str, files: Iterable[str]) -> Iterator[str]:
    """For each file that does not lie in the folder itself, the name of the subfolder that it came through."""
    inside = (file[len(folder) :] for file in files)
    return (name.partition("/")[0] for name in inside if "/" in name)


def _labels(folder: str, files: list[str], classes: tuple[str, ...]) -> Int64[Tensor, "images"] | None:
    """The number of each file's class; -1 for a file that lies beside the classes' folders."""
    if not classes:
        return None
    number = {name: i for i, name in enumerate(classes)}
    inside = (file[len(folder) :].partition("/") for file in files)
    return torch.tensor([number[first] if slash else -1 for first, slash, _ in inside])
