"""Any folder of photographs: nested or flat, labelled by its subfolders or not at all."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
import torch
import torchvision  # noqa: F401  its import registers torch.ops.image
from jaxtyping import Int64, UInt8
from PIL import Image, ImageOps
from torch import Tensor

from sslgraph.component import component
from sslgraph.errors import SslgraphError

SUFFIXES = frozenset(".jpg .jpeg .png .webp .gif .bmp .tif .tiff .ppm .pgm .avif".split())
TEST_FOLDERS = ("test", "val", "validation")
# Every tenth image of a set that has no test part of its own is held out as one.
HELD_OUT = 10
PROBED = 16
CHUNK = 1024

Picture = UInt8[Tensor, "3 height width"]
Item = TypeVar("Item")


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
            raise SslgraphError(f"the image folder {path} {'is a file' if root.is_file() else 'does not exist'}; give a folder")
        folders = _split_folders(root)
        everything = {name: _image_files(folder) for name, folder in folders.items()}
        files, self.ignored = everything.get(split, everything["train"])
        folder = folders.get(split, folders["train"])
        if not files:
            raise SslgraphError(_nothing_found(folder, self.ignored))
        chosen = files if "test" in folders else held_out(files, split, path)
        self.files = chosen[:limit]
        self.classes = tuple(sorted({name for kind, folder in folders.items() for name in _subfolders(folder, everything[kind][0])}))
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


class Album:
    """Pictures loaded one by one on threads, or once for all if they share a size; a broken one gives way to the next."""

    def __init__(self, *, count: int, load: Callable[[int], Picture], name: Callable[[int], str], memory: float) -> None:
        self.count, self.memory = count, memory
        self.broken: dict[int, str] = {}
        self._load, self._name = load, name

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width of all pictures, if they are held."""
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
        with ThreadPoolExecutor(torch.get_num_threads()) as threads:
            return list(threads.map(self._attempt, indices))

    def _attempt(self, index: int) -> Picture | None:
        try:
            return self._load(index)
        except (OSError, ValueError) as reason:
            self.broken[index] = f"{self._name(index)}: {reason}"
            return None

    def _good(self, index: int) -> int:
        if len(self.broken) == self.count:
            raise SslgraphError(f"none of the {self.count} images can be read, for example {next(iter(self.broken.values()))}")
        while index in self.broken:
            index = (index + 1) % self.count
        return index


def decode(data: bytes) -> Picture:
    """An encoded image as RGB, upright; raises ValueError or OSError with the reason if it can't be read."""
    # Two to three times as fast as Pillow. The op itself, since torchvision's Python door to it warns at every call.
    # It knows no rotation tag of WebP files, and is asked for nothing that it would refuse.
    if data and not (data[:4] == b"RIFF" and b"EXIF" in data):
        try:
            image = torch.ops.image.decode_image(torch.frombuffer(bytearray(data), dtype=torch.uint8), 3, True)
        except RuntimeError:
            return _with_pillow(data)
        image = image[0] if image.ndim == 4 else image  # the first frame of an animation
        return (image.int() // 257).to(torch.uint8) if image.dtype == torch.uint16 else image
    return _with_pillow(data)


def _with_pillow(data: bytes) -> Picture:
    try:
        with Image.open(io.BytesIO(data)) as image:
            return picture_of(ImageOps.exif_transpose(image))
    except (SyntaxError, EOFError, Image.DecompressionBombError) as reason:
        raise ValueError(str(reason)) from reason
    except Image.UnidentifiedImageError:
        raise ValueError("not an image" if data else "an empty file") from None


def picture_of(image: Image.Image) -> Picture:
    """A Pillow image of any colour mode as an RGB tensor."""
    if image.mode.startswith("I"):  # sixteen bits, which Pillow would clip at 255
        image = Image.fromarray((np.asarray(image).astype(np.int64) // 257).clip(0, 255).astype(np.uint8))
    return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1).contiguous()


def held_out(items: Sequence[Item], split: str, where: str) -> list[Item]:
    """Every tenth item is the test split, the others are the train split."""
    if split == "test" and len(items) < HELD_OUT:
        raise SslgraphError(f"{where} has {len(items)} images and no test split; {HELD_OUT} are needed to hold out every tenth")
    return [item for i, item in enumerate(items) if (i % HELD_OUT == HELD_OUT - 1) == (split == "test")]


def _split_folders(root: Path) -> dict[str, Path]:
    """The folders of the splits; a train folder alone is the whole set, and so is the root if there is none."""
    test = next((root / name for name in TEST_FOLDERS if (root / name).is_dir()), None)
    if (root / "train").is_dir() and test is not None:
        return {"train": root / "train", "test": test}
    is_alone = [entry.name for entry in root.iterdir() if entry.is_dir()] == ["train"]
    return {"train": root / "train" if is_alone else root}


def _image_files(folder: Path) -> tuple[list[Path], tuple[str, ...]]:
    """Image files by path, and the names of the other files; a link that leads out of the folder is refused."""
    images, others = [], []
    for place, _, names in os.walk(folder):
        for file in (Path(place, name) for name in names if not name.startswith(".")):
            if file.is_symlink() and not file.resolve().is_relative_to(folder):
                raise SslgraphError(f"{file} is a link to {file.resolve()}, outside the folder; copy the file, or give that folder")
            (images if file.suffix.lower() in SUFFIXES else others).append(file)
    return sorted(images), tuple(sorted(str(file) for file in others))


def _nothing_found(folder: Path, ignored: tuple[str, ...]) -> str:
    there = f"it holds {len(ignored)} other files, such as {Path(ignored[0]).name}" if ignored else "it is empty"
    return f"the folder {folder} has no images; {there}, and images end in {', '.join(sorted(SUFFIXES))}"


def _subfolders(folder: Path, files: Iterable[Path]) -> Iterator[str]:
    """For each file that does not lie in the folder itself, the name of the subfolder that it came through."""
    return (file.relative_to(folder).parts[0] for file in files if file.parent != folder)


def _labels(folder: Path, files: list[Path], classes: tuple[str, ...]) -> Int64[Tensor, "images"] | None:
    """The number of each file's class; -1 for a file that lies beside the classes' folders."""
    if not classes:
        return None
    number = {name: i for i, name in enumerate(classes)}
    return torch.tensor([-1 if file.parent == folder else number[file.relative_to(folder).parts[0]] for file in files])
