"""TIFF images that Pillow can't read, or only in eight bits: more bits, signs, fractions, and any number of channels.

The fields are those of the TIFF 6.0 specification (Adobe, 1992).
"""

from __future__ import annotations

import itertools
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

TYPES = {1: "B", 2: "s", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 11: "f", 12: "d", 16: "Q"}
WIDTH, HEIGHT, BITS, COMPRESSION, CHANNELS, ROWS, PLANAR, PREDICTOR = 256, 257, 258, 259, 277, 278, 284, 317
STRIPS, STRIP_SIZES, TILES, TILE_SIZES, TILE_WIDTH, TILE_HEIGHT, FORMAT, EXTRA = 273, 279, 324, 325, 322, 323, 339, 338
FORMATS = {1: "u", 2: "i", 3: "f"}
MOST_CHANNELS, MOST_SAMPLES = 64, 2**29
DAMAGE = (KeyError, IndexError, ArithmeticError, struct.error, zlib.error)  # what a file that lies leads to

Array = NDArray[Any]


def fields_of(data: bytes) -> dict[int, tuple[int, ...]]:
    """The fields of the first image of a file, by their numbers; empty if it is no TIFF (or a BigTIFF)."""
    return next(_pages(data), {})


def channels_of_pages(data: bytes) -> Array | None:
    """The pages of a file as channels, as microscopes write them; None for one page, or pages that have channels."""
    try:
        pages = list(itertools.islice(_pages(data), MOST_CHANNELS))
        if len(pages) < 2 or pages[0].get(CHANNELS, (1,))[0] != 1:
            return None
        read_ = [read(data, fields) for fields in pages]
    except DAMAGE as reason:
        raise ValueError(f"a damaged TIFF file ({reason})") from reason
    if len({(one.shape, one.dtype) for one in read_}) > 1:
        raise ValueError("its pages differ in size or kind, so they are no channels of one image")
    return np.concatenate(read_, axis=2)


def _pages(data: bytes) -> Iterator[dict[int, tuple[int, ...]]]:
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    known = set[int]()
    (at,) = struct.unpack_from(order + "I", data, 4) if order else (0,)
    while order and at and at not in known:
        known.add(at)
        yield _fields_at(data, order, at)
        (count,) = struct.unpack_from(order + "H", data, at)
        (at,) = struct.unpack_from(order + "I", data, at + 2 + 12 * count)


def _fields_at(data: bytes, order: str, at: int) -> dict[int, tuple[int, ...]]:
    (count,) = struct.unpack_from(order + "H", data, at)
    found: dict[int, tuple[int, ...]] = {-1: (int(order == ">"),)}
    for i in range(count):
        tag, kind, length = struct.unpack_from(order + "HHI", data, at + 2 + 12 * i)
        letter = TYPES.get(kind)
        if letter is None or letter in "sfd" or length > len(data):
            continue
        start = at + 10 + 12 * i
        if length * struct.calcsize(letter) > 4:
            (start,) = struct.unpack_from(order + "I", data, start)
        found[tag] = struct.unpack_from(f"{order}{length}{letter}", data, start)
    return found


def is_deep(fields: dict[int, tuple[int, ...]]) -> bool:
    """Whether samples are more than bytes, or are more or other than grey, RGB and RGBA or CMYK."""
    bits, channels = fields.get(BITS, (1,)), fields.get(CHANNELS, (1,))[0]
    return max(bits) > 8 or channels == 2 or channels > 4 or fields.get(FORMAT, (1,))[0] != 1


def read(data: bytes, fields: dict[int, tuple[int, ...]]) -> Array:
    """Height x width x channels of the first image; ValueError if its form is not known."""
    height, width = fields[HEIGHT][0], fields[WIDTH][0]
    channels, planar = fields.get(CHANNELS, (1,))[0], fields.get(PLANAR, (1,))[0]
    bits, form = fields.get(BITS, (1,)), FORMATS.get(fields.get(FORMAT, (1,))[0])
    if len(set(bits)) > 1 or bits[0] not in (8, 16, 32, 64) or form is None or (form == "f" and bits[0] < 16):
        raise ValueError(f"a TIFF file with {bits[0]} bits a sample of kind {fields.get(FORMAT, (1,))[0]}")
    if not 0 < channels <= MOST_CHANNELS or height * width * channels > MOST_SAMPLES:
        raise ValueError(f"it claims {height} x {width} x {channels} samples, which is too many")
    kind = np.dtype(f"{'>' if fields[-1][0] else '<'}{form}{bits[0] // 8}")
    is_tiled = TILES in fields
    across, down = (
        (fields[TILE_WIDTH][0], fields[TILE_HEIGHT][0])
        if is_tiled
        else (width, min(height, fields.get(ROWS, (height,))[0]))
    )
    starts, sizes = fields[TILES if is_tiled else STRIPS], fields[TILE_SIZES if is_tiled else STRIP_SIZES]
    each = 1 if planar == 2 else channels
    columns, rows = -(-width // across), -(-height // down)
    if len(starts) < columns * rows * (channels // each) or len(starts) != len(sizes):
        raise ValueError("pieces are missing")
    out = np.zeros((height, width, channels), dtype=kind.newbyteorder("="))
    for number in range(columns * rows * (channels // each)):
        plane, place = divmod(number, columns * rows)
        top, left = place // columns * down, place % columns * across
        tall = down if is_tiled else min(down, height - top)
        piece = data[starts[number] : starts[number] + sizes[number]]
        raw = _inflated(piece, fields.get(COMPRESSION, (1,))[0], tall * across * each * kind.itemsize)
        block = _undone(raw, (tall, across, each), kind, fields.get(PREDICTOR, (1,))[0])
        shown = block[: height - top, : width - left]
        out[top : top + tall, left : left + across, plane * each % channels : plane * each % channels + each] = shown
    return out


def _inflated(piece: bytes, how: int, size: int) -> bytes:
    if how == 1:
        found = piece
    elif how in (8, 32946):
        found = zlib.decompressobj().decompress(piece, size)
    elif how == 5:
        found = _lzw(piece, size)
    elif how == 32773:
        found = _packed(piece, size)
    else:
        raise ValueError(f"a TIFF file whose compression {how} is not known for such samples; save it with deflate")
    if len(found) < size:
        raise ValueError("a piece is cut short")
    return found[:size]


def _undone(raw: bytes, shape: tuple[int, int, int], kind: np.dtype[Any], predictor: int) -> Array:
    """The samples: each was written as the difference to the one before it (2), or as bytes that stand apart (3)."""
    tall, across, each = shape
    if predictor == 3:
        summed = _summed(np.frombuffer(raw, np.uint8).reshape(tall, across * kind.itemsize, each))
        apart = summed.reshape(tall, kind.itemsize, across * each)
        together = np.ascontiguousarray(apart.transpose(0, 2, 1)).view(kind.newbyteorder(">"))
        return together.reshape(shape)
    block: Array = np.frombuffer(raw, kind).reshape(shape)
    return _summed(block.astype(kind.newbyteorder("="))) if predictor == 2 else block


def _summed(block: Array) -> Array:
    return np.cumsum(block, axis=1, dtype=block.dtype)


def _packed(piece: bytes, size: int) -> bytes:
    """PackBits: runs and literal stretches."""
    out, at = bytearray(), 0
    while at < len(piece) and len(out) < size:
        head, at = piece[at], at + 1
        if head < 128:
            out += piece[at : at + head + 1]
            at += head + 1
        elif head > 128:
            out += piece[at : at + 1] * (257 - head)
            at += 1
    return bytes(out)


def _lzw(piece: bytes, size: int) -> bytes:
    """LZW with codes of 9 to 12 bits, high bits first."""
    first = [bytes((i,)) for i in range(256)] + [b"", b""]
    table, out, before, held, bits, width = list(first), bytearray(), b"", 0, 0, 9
    for byte in piece:
        held, bits = held << 8 | byte, bits + 8
        if bits < width:
            continue
        bits -= width
        code, held = held >> bits, held & ((1 << bits) - 1)
        if code == 257 or len(out) >= size:
            break
        if code == 256:
            table, before, width = list(first), b"", 9
            continue
        if code > len(table) or (code == len(table) and not before):
            raise ValueError("a damaged piece")
        entry = table[code] if code < len(table) else before + before[:1]
        out += entry
        if before:
            table.append(before + entry[:1])
        before, width = entry, min(12, (len(table) + 1).bit_length())
    return bytes(out)
