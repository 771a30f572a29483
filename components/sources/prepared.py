"""Images prepared by `sslgraph data PATH --prepare OUT`: small already, in one file a split, mapped into memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from sslgraph.component import component
from sslgraph.errors import SslgraphError

from .album import Album, Picture, decode, limited

ABOUT = "prepared.json"


@component(source="own; raw bytes mapped into memory as in FFCV (arXiv:2306.12517)")
class Prepared:
    """Images whose shorter side was brought to one length once and for all, as JPEG or as raw bytes.

    Raw bytes need no decoding and about eight times the room of JPEG; the system keeps in memory what fits. A split
    lies in SPLIT.bin, image after image; SPLIT.npz says where each begins and how large it is.

    Settings:
        path: the folder that was written.
        split: train or test.
        limit: only the first so many images of the split.
        memory: most that images of one size may take to be held decoded, GiB; 0 reads them anew each time.
    """

    def __init__(
        self, *, path: str, split: Literal["train", "test"] = "train", limit: int | None = None, memory: float = 0.0
    ) -> None:
        root = Path(path).expanduser().resolve()
        if not (root / ABOUT).is_file():
            cure = f"write them: sslgraph data IMAGES --prepare {path}"
            raise SslgraphError(f"{path} holds no prepared images ({ABOUT}); {cure}")
        about = json.loads((root / ABOUT).read_text(encoding="utf-8"))
        if not (root / f"{split}.npz").is_file():
            raise SslgraphError(f"{path} has no {split} split; it was prepared with: {', '.join(about['splits'])}")
        with np.load(root / f"{split}.npz") as index:
            self._starts, self._sizes, labels = index["starts"], index["sizes"], index["labels"]
        chosen = len(limited(list(range(len(self._sizes))), limit))
        self.is_raw = about["form"] == "raw"
        self.classes = tuple(about["classes"])
        self.labels = torch.from_numpy(labels[:chosen]) if len(labels) else None
        self._bytes = np.memmap(root / f"{split}.bin", dtype=np.uint8, mode="r")
        self._split = f"{path}, {split} image"
        self._album = Album(count=chosen, load=self._load, name=self._name, memory=memory)
        self.broken = self._album.broken

    def __len__(self) -> int:
        return self._album.count

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width if all images share them and are held, else None."""
        return self._album.size

    def read(self, indices: Int64[Tensor, "batch"]) -> tuple[Tensor | list[Tensor], Int64[Tensor, "batch"]]:
        """The images, and the indices that were really read."""
        return self._album.read(indices)

    def _load(self, index: int) -> Picture:
        # A copy: colour steps work in place, and the file is not to be changed.
        found = np.array(self._bytes[self._starts[index] : self._starts[index + 1]])
        if not self.is_raw:
            return decode(found.tobytes())
        height, width = self._sizes[index]
        return torch.from_numpy(found).view(int(height), int(width), 3).permute(2, 0, 1)

    def _name(self, index: int) -> str:
        return f"{self._split} {index}"
