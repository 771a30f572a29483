"""`sslgraph data --prepare`: writes a small copy of the images at a path, for fast reading."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
import torchvision  # noqa: F401  its import registers torch.ops.image
from torch import Tensor
from torch.nn.functional import interpolate

from sslgraph.amounts import counted
from sslgraph.errors import SslgraphError
from sslgraph.files.whole_file import whole_folder
from sslgraph.files.write_whole import told

from .feed import Source
from .inspection import COLOURS, splits_at

FORMS = ("jpeg", "raw")
QUALITY = 92
CHUNK = 64  # images that are read at a time


@dataclass(frozen=True)
class Written:
    """One split as it was written."""

    split: str
    images: int
    broken: int
    size: int
    seconds: float

    def __str__(self) -> str:
        left_out = f", {self.broken} left out that can't be read" if self.broken else ""
        rate = self.images / max(self.seconds, 1e-9)
        size = f"{self.size / 2**20:,.1f} MiB"
        return f"{self.split}: {counted(self.images, 'image')}, {size}, {rate:,.0f} images/s{left_out}"


def prepare_images(
    path: str, out: str, *, side: int = 256, form: str = "jpeg", settings: Mapping[str, Any] | None = None
) -> list[Written]:
    """Writes every readable image of every split with its shorter side at `side` (smaller ones stay as they are).

    The folder must not be there, or be empty; it appears whole or not at all.
    """
    if form not in FORMS:
        raise SslgraphError(f"--form {form} is not known; write one of {', '.join(FORMS)}")
    if side < 8:
        raise SslgraphError(f"--side {side} leaves nothing to see; write 8 or more, 256 for views of 224")
    final = Path(out).expanduser().resolve()
    if final.exists() and not (final.is_dir() and not any(final.iterdir())):
        raise SslgraphError(f"--prepare {out}: something is there already; name a new folder")
    with told(final, "--prepare"):
        return write_prepared(
            final, splits_at(path, settings, at_least=2 * side), side=side, form=form, where=str(path)
        )


def write_prepared(
    folder: Path, splits: Iterable[tuple[str, Source]], *, side: int, form: str, where: str
) -> list[Written]:
    """The same of images by the names of their splits; `where` is said of where they came from."""
    found: list[Written] = []
    classes, channels = tuple[str, ...](), COLOURS
    with whole_folder(folder) as begun:
        for split, source in splits:
            found.append(_write_split(begun, split, source, side, form))
            classes, channels = source.classes, len(source.read(torch.zeros(1, dtype=torch.long))[0][0])
        about = {"form": form, "side": side, "channels": channels, "classes": classes}
        about |= {"splits": [one.split for one in found], "from": where}
        (begun / "prepared.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    return found


def _write_split(folder: Path, split: str, source: Source, side: int, form: str) -> Written:
    start, starts, sizes, kept = time.perf_counter(), [0], [], []
    with (folder / f"{split}.bin").open("wb") as file:
        for wanted in torch.arange(len(source)).split(CHUNK):
            images, really = source.read(wanted)
            for image, index, asked in zip(images, really.tolist(), wanted.tolist(), strict=True):
                if index != asked:
                    continue  # a broken image, given way to the next: that one comes in its own place
                small = shrunk(image, side)
                starts.append(starts[-1] + _put(file, small, form))
                sizes.append(small.shape[1:])
                kept.append(index)
    labels = np.array([]) if source.labels is None else source.labels[kept].numpy()
    np.savez(folder / f"{split}.npz", starts=np.array(starts), sizes=np.array(sizes, dtype=np.int64), labels=labels)
    return Written(split, len(kept), len(source) - len(kept), starts[-1], time.perf_counter() - start)


def shrunk(image: Tensor, side: int) -> Tensor:
    """The image with its shorter side at `side`, antialiased as a view would be; a smaller one as it is."""
    height, width = image.shape[1:]
    short = min(height, width)
    if short <= side:
        return image
    size = [max(side, round(each * side / short)) for each in (height, width)]
    return interpolate(image[None], size, mode="bicubic", align_corners=False, antialias=True)[0]


def _put(file: BinaryIO, image: Tensor, form: str) -> int:
    if form == "jpeg" and len(image) != COLOURS:
        raise SslgraphError(f"a JPEG has no {len(image)} channels; write --form raw")
    if form == "raw":
        return file.write(image.permute(1, 2, 0).contiguous().numpy().tobytes())
    encoded: Any = torch.ops.image.encode_jpeg(image.contiguous(), QUALITY)
    return file.write(encoded.numpy().tobytes())
