"""Small tar shards in the form of WebDataset, whose images show their own number."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

from PIL import Image


def png(value: int, side: int = 8) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (side, side), (value, value, value)).save(out, format="PNG")
    return out.getvalue()


def shard(path: Path, files: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def numbered(first: int, count: int, label: str = "cls") -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for i in range(first, first + count):
        files[f"{i:05}.png"] = png(i)
        files[f"{i:05}.{label}"] = str(i % 3).encode() if label == "cls" else json.dumps({"label": i % 3}).encode()
    return files
