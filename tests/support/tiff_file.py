"""TIFF files as tests need them: any number of channels, kind of number, order of bytes and form."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def tiff(array: NDArray[Any], *, how: int = 1, planar: int = 1, rows: int | None = None, predictor: int = 1,
         tile: int | None = None, order: str = "<") -> bytes:  # fmt: skip
    """A TIFF file with any number of channels, as other programs write them."""
    height, width, channels = array.shape
    kind = array.dtype.newbyteorder(order)
    planes: Sequence[NDArray[Any]] = [array[:, :, i : i + 1] for i in range(channels)] if planar == 2 else [array]
    pieces = []
    for plane in planes:
        if tile:
            padded = np.zeros((-(-height // tile) * tile, -(-width // tile) * tile, plane.shape[2]), array.dtype)
            padded[:height, :width] = plane
            cut = [padded[t : t + tile, s : s + tile] for t in range(0, height, tile) for s in range(0, width, tile)]
        else:
            cut = [plane[t : t + (rows or height)] for t in range(0, height, rows or height)]
        for piece in cut:
            if predictor == 2:
                piece = np.concatenate([piece[:, :1], np.diff(piece, axis=1)], 1).astype(array.dtype)
            raw = piece.astype(kind).tobytes()
            pieces.append(zlib.compress(raw) if how == 8 else raw)
    fields: dict[int, tuple[str, list[int]]] = {
        256: ("I", [width]), 257: ("I", [height]), 258: ("H", [array.dtype.itemsize * 8] * channels), 259: ("H", [how]),
        262: ("H", [1]), 277: ("H", [channels]), 284: ("H", [planar]), 317: ("H", [predictor]),
        339: ("H", [{"u": 1, "i": 2, "f": 3}[array.dtype.kind]] * channels),
    }  # fmt: skip
    if tile:
        fields |= {322: ("I", [tile]), 323: ("I", [tile])}
    else:
        fields |= {278: ("I", [rows or height])}
    starts, sizes = (324, 325) if tile else (273, 279)
    fields |= {starts: ("I", [0] * len(pieces)), sizes: ("I", [len(piece) for piece in pieces])}
    at = 8 + 2 + 12 * len(fields) + 4
    extra, offsets = b"", {}
    for tag, (letter, values) in fields.items():
        size = len(values) * struct.calcsize(letter)
        if size > 4:
            offsets[tag], extra = at + len(extra), extra + bytes(size)
    begin = at + len(extra)
    fields[starts] = ("I", [begin + sum(len(p) for p in pieces[:i]) for i in range(len(pieces))])
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, len(fields))
    body = b""
    for tag, (letter, values) in sorted(fields.items()):
        packed = struct.pack(f"{order}{len(values)}{letter}", *values)
        if tag in offsets:
            start = offsets[tag] - at
            extra = extra[:start] + packed + extra[start + len(packed) :]
            packed = struct.pack(order + "I", offsets[tag])
        body += struct.pack(order + "HHI", tag, {"H": 3, "I": 4}[letter], len(values)) + packed.ljust(4, b"\0")
    return head + body + struct.pack(order + "I", 0) + extra + b"".join(pieces)
