"""Labels of any kind as the numbers of classes: whole numbers, texts, fractions that are whole, yes and no."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Int64
from numpy.typing import NDArray
from torch import Tensor

from sslgraph.errors import SslgraphError

# Columns and keys that are taken for labels where none is named.
USUAL = ("label", "labels", "fine_label")
INNER = ("name", "label", "id")  # fields that say the class of a label that has fields
# Words of names that are worth a mention.
LIKE = re.compile(r"label|class|categ|target|species|genus|breed|kind|type|^y$|^cls", re.IGNORECASE)
NONE = np.iinfo(np.int64).min
# Whole numbers are classes as they stand up to so many; larger ones may have gaps, and are numbered anew.
DENSE = 1_000
# How tables write that a value is missing, besides leaving it empty.
MISSING = ("nan", "<na>")
SEVERAL = "|;,"  # what stands between several classes
WHOLE, NUMBER = re.compile(r"[+-]?\d+(?:\.0*)?"), re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.IGNORECASE)
LARGEST = 2**62

Raw = NDArray[Any]  # int64 with NONE, or texts with "" where there is no label
Codes = Int64[Tensor, "images"]


def raw(values: Iterable[Any]) -> Raw | None:
    """Values of one column as whole numbers or as texts; None if they are fractions or nothing that has a class."""
    there = [None if value is None or value != value else value for value in values]
    kinds = {type(value) for value in there if value is not None}
    if kinds <= {bool}:
        return np.array([NONE if value is None else int(value) for value in there], dtype=np.int64)
    if kinds <= {int, bool, float}:
        if any(not value.is_integer() for value in there if isinstance(value, float)):
            return None
        if any(abs(value) >= LARGEST for value in there if value is not None):
            return np.array(["" if value is None else str(value) for value in there], dtype=np.str_)
        return np.array([NONE if value is None else int(value) for value in there], dtype=np.int64)
    if kinds <= {str, bytes, int, bool}:
        texts = [_text(value) for value in there]
        return np.array(texts, dtype=np.str_)
    return None


def of_values(values: Sequence[Any]) -> Raw:
    """The same, with no label for any where the values say no class."""
    found = raw(values)
    return none(len(values)) if found is None else found


def numbered(pieces: Sequence[Raw], names: Sequence[str] = ()) -> tuple[Codes | None, tuple[str, ...]]:
    """The classes of all pieces together, -1 for no label, and their names; None if no image has a label.

    Whole numbers stay as they are, so that `names` fit them, unless they are far apart: then, like texts, they are
    numbered in order. A negative number is none. Texts that are numbers, but not all whole, say no classes.
    """
    if not pieces or not sum(map(len, pieces)):
        return None, ()
    pieces = [_cleaned(piece) for piece in pieces]
    texts = [text for piece in pieces if piece.dtype.kind == "U" for text in np.unique(piece).tolist() if text]
    if texts and all(map(NUMBER.fullmatch, texts)) and not all(map(WHOLE.fullmatch, texts)):
        return None, ()
    whole = [_as_whole(piece) for piece in pieces]
    if all(piece is not None for piece in whole):
        values = np.concatenate([piece for piece in whole if piece is not None])
        there = np.unique(values[values >= 0])
        if not len(there):
            return None, ()
        if there[-1] < max(DENSE, 4 * len(there), len(names)):
            return torch.from_numpy(np.where(values >= 0, values, -1)), tuple(names)
        codes = np.where(values >= 0, np.searchsorted(there, values), -1)
        return torch.from_numpy(codes), tuple(map(str, there))
    words = np.concatenate([_as_text(piece) for piece in pieces])
    there = np.unique(words[words != ""])
    codes = np.where(words != "", np.searchsorted(there, words), -1)
    return torch.from_numpy(codes), tuple(map(str, there))


def as_named(piece: Raw, names: Sequence[str]) -> Raw:
    """Numbers of classes as the names of these: files whose lists of names differ mean different classes by 0."""
    if piece.dtype.kind == "U" or not names:
        return piece
    return np.array(["" if i < 0 else names[i] if i < len(names) else str(i) for i in piece.tolist()], dtype=np.str_)


def in_one_form(text: str) -> str:
    """A name of a class as composed Unicode; bytes that are no UTF-8 are those of Windows."""
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
    return unicodedata.normalize("NFC", text)


def single(value: Any) -> Any:
    """The label in a list of one, or in a mapping such as {id, name}; any other value as it is."""
    if isinstance(value, list) and len(value) == 1:
        return single(value[0])
    if isinstance(value, dict):
        return next((value[name] for name in INNER if name in value), value)
    return value


def none(count: int) -> Raw:
    """So many times no label."""
    return np.full(count, NONE, dtype=np.int64)


def advice(names: Iterable[str], what: str) -> str:
    """Which columns or keys look like labels, and how one is chosen; "" if there are none."""
    there = list(dict.fromkeys(names))
    if usual := [name for name in there if name in USUAL]:
        return f"the {what} {usual[0]} holds no classes: it is empty, or has fractions, dates or lists"
    alike = [name for name in there if LIKE.search(name)] or there
    if not alike:
        return ""
    return f"no {what} is called label; there are {', '.join(alike[:8])}: choose one with data.label: {alike[0]}"


def lacking(where: str, label: str | None, like: Iterable[str], what: str, there: Iterable[str]) -> list[str]:
    """What is said where no label is found; SslgraphError if data.label named it. `where` is "no row of PATH"."""
    if label is not None:
        known = f"; there are: {', '.join(names)}" if (names := list(dict.fromkeys(there))) else ""
        raise SslgraphError(f"{where} has a label in the {what} '{label}' (data.label){known}")
    found = advice(like, what)
    return [found] if found else []


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value.decode("utf-8", "replace").strip() if isinstance(value, bytes) else str(value).strip()


def _as_whole(piece: Raw) -> NDArray[np.int64] | None:
    if piece.dtype.kind != "U":
        return piece
    texts, of_each = np.unique(piece, return_inverse=True)
    if not all(WHOLE.fullmatch(text) for text in texts.tolist() if text):
        return None
    numbers = [int(text.partition(".")[0]) if text else NONE for text in texts.tolist()]
    if any(abs(number) >= LARGEST for number in numbers if number != NONE):
        return None
    return np.array(numbers, dtype=np.int64)[of_each]


def _cleaned(piece: Raw) -> Raw:
    """Texts in one form of Unicode, those that say that a value is missing empty; numbers as they are.

    Several classes in one text (cat|dog, where cat and dog are others) are none.
    """
    if piece.dtype.kind != "U" or not len(piece):
        return piece
    texts, of_each = np.unique(piece, return_inverse=True)
    clean = ["" if text.lower() in MISSING else in_one_form(text) for text in texts.tolist()]
    for mark in SEVERAL:
        known = set(clean)
        cut = {text: [part.strip() for part in text.split(mark)] for text in known if mark in text}
        if cut and all(part in known for parts in cut.values() for part in parts):
            clean = ["" if text in cut else text for text in clean]
    return np.array(clean, dtype=np.str_)[of_each]


def _as_text(piece: Raw) -> NDArray[np.str_]:
    if piece.dtype.kind == "U":
        return piece
    return np.array(["" if value < 0 else str(value) for value in piece.tolist()], dtype=np.str_)
