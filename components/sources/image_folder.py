"""Any folder of photographs: nested or flat, labelled by its subfolders or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Int64
from torch import Tensor

from sslgraph.component import component
from sslgraph.errors import SslgraphError

from .album import Album, Picture, decode, held_out, limited

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".avif")
TEST_FOLDERS = ("test", "val", "validation")


@component(source="own")
class ImageFolder:
    """The image files below a folder, in the order of their paths.

    Labels come from the first level of subfolders, and are None if the images lie flat. `train` beside `test` or `val`
    are taken as the two splits; without them every tenth image is the test split. Rotation tags of cameras are obeyed,
    any colour mode becomes RGB, and a file that can't be decoded is replaced by the next one and named in `broken`.

    Settings:
        path: the folder.
        split: train or test.
        limit: only the first so many images of the split.
        memory: most that images of one size may take to be held decoded, GiB; 0 decodes them anew each time.
    """

    def __init__(
        self, *, path: str, split: Literal["train", "test"] = "train", limit: int | None = None, memory: float = 4.0
    ) -> None:
        root = Path(path).expanduser().resolve()
        if not root.is_dir():
            what = "is a file" if root.is_file() else "does not exist"
            raise SslgraphError(f"the folder {path} {what}; give a folder of images")
        folders = _split_folders(root)
        everything = {name: _image_files(folder) for name, folder in folders.items()}
        files, self.ignored = everything.get(split, everything["train"])
        folder = folders.get(split, folders["train"])
        if not files:
            raise SslgraphError(_nothing_found(folder, self.ignored))
        chosen = files if "test" in folders else held_out(files, split, path)
        self.files = limited(chosen, limit)
        names = (_subfolders(place, everything[name][0]) for name, place in folders.items())
        self.classes = tuple(sorted(set().union(*names)))
        self.labels = _labels(folder, self.files, self.classes)
        self._album = Album(count=len(self.files), load=self._load, name=self._name, memory=memory)
        self.broken = self._album.broken

    def __len__(self) -> int:
        return len(self.files)

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width if all images share them and fit in memory, else None."""
        return self._album.size

    def read(self, indices: Int64[Tensor, "batch"]) -> tuple[Tensor | list[Tensor], Int64[Tensor, "batch"]]:
        """The images, and the indices that were really read."""
        return self._album.read(indices)

    def _load(self, index: int) -> Picture:
        return decode(self.files[index].read_bytes())

    def _name(self, index: int) -> str:
        return str(self.files[index])


def _split_folders(root: Path) -> dict[str, Path]:
    """The folders of the splits; a train folder alone is the whole set, and so is the root if there is none."""
    test = next((root / name for name in TEST_FOLDERS if (root / name).is_dir()), None)
    if (root / "train").is_dir() and test is not None:
        return {"train": root / "train", "test": test}
    is_alone = [entry.name for entry in root.iterdir() if entry.is_dir()] == ["train"]
    return {"train": root / "train" if is_alone else root}


def _image_files(folder: Path) -> tuple[list[Path], tuple[str, ...]]:
    """Image files by path, and the names of the other files; a link that leads out of the folder is refused."""
    images: list[Path] = []
    others: list[Path] = []
    for place, _, names in os.walk(folder):
        for file in (Path(place, name) for name in names if not name.startswith(".")):
            if file.is_symlink() and not file.resolve().is_relative_to(folder):
                raise SslgraphError(
                    f"{file} is a link to {file.resolve()}, outside the folder; copy the file, or give that folder"
                )
            (images if file.suffix.lower() in SUFFIXES else others).append(file)
    return sorted(images), tuple(sorted(str(file) for file in others))


def _nothing_found(folder: Path, ignored: tuple[str, ...]) -> str:
    there = f"it holds {len(ignored)} other files, such as {Path(ignored[0]).name}" if ignored else "it is empty"
    return f"the folder {folder} has no images; {there}, and images end in {', '.join(SUFFIXES)}"


def _subfolders(folder: Path, files: Iterable[Path]) -> Iterator[str]:
    """For each file that does not lie in the folder itself, the name of the subfolder that it came through."""
    return (file.relative_to(folder).parts[0] for file in files if file.parent != folder)


def _labels(folder: Path, files: list[Path], classes: tuple[str, ...]) -> Int64[Tensor, "images"] | None:
    """The number of each file's class; -1 for a file that lies beside the classes' folders."""
    if not classes:
        return None
    number = {name: i for i, name in enumerate(classes)}
    return torch.tensor([-1 if file.parent == folder else number[file.relative_to(folder).parts[0]] for file in files])
