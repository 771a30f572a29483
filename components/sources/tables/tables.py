"""Lists and tables that name images, as rows of named texts: lines of paths, columns of a table, objects of JSON."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from sslgraph.errors import SslgraphError

from ..decode.decoding import SUFFIXES
from ..names.splits import by_name

LISTS, TABLES = (".txt", ".lst", ".list"), (".csv", ".tsv")
OBJECTS = (".json", ".jsonl", ".ndjson")
ENDINGS = LISTS + TABLES + OBJECTS
BETWEEN = ",;\t|"  # what may stand between the columns of a table
LARGEST = 2**30  # bytes of a text: iNaturalist's JSON of 2.7 million images has a fifth of it

NUMBERS = re.compile(r"[-+\d.,;:e]+")  # one, or those of a box

Row = dict[str, Any]
Reading = Row | Sequence[Row]  # a row, or the ways in which a line may be read, the likeliest first
PATH, LABEL = "path", "label"
NUMBER, SPLIT = "number in front", "split by text"  # what is known of a row besides its columns


def ways(reading: Reading) -> Sequence[Row]:
    """The ways in which a row may be read."""
    return [reading] if isinstance(reading, dict) else reading


def rows_of(name: str, data: bytes) -> list[Reading]:
    """The rows of a text by the ending of its name; SslgraphError if it can't be read."""
    if len(data) > LARGEST:
        raise SslgraphError(f"{name} has {len(data) / 2**30:.1f} GiB, and a list has at most {LARGEST / 2**30:.0f}")
    text, ending = _text(data), name.lower()
    if ending.endswith(TABLES):
        return list(_of_table(name, text))
    if ending.endswith(OBJECTS):
        return list(_of_objects(name, text))
    return [_ways_of(line) for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def _text(data: bytes) -> str:
    """UTF-8 with or without its mark, or UTF-16 with one; what is neither keeps its bytes, as names of files do."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")


def _ways_of(line: str) -> list[Row]:
    """a/b 1.jpg; a/b 1.jpg 7; 12 a/b 1.jpg; cat a/b 1.jpg; a.jpg 10,20,30,40; 12<tab>7<tab>a/b 1.jpg; a 1 2 3.

    A name may hold spaces, so all are tried.
    """
    whole = line.strip()
    ways: list[Row] = [{PATH: whole}]
    for mark in "\t,;":
        cut = [piece.strip() for piece in whole.split(mark)]
        named = [i for i, piece in enumerate(cut) if piece.lower().endswith(SUFFIXES)] or [0]
        if len(cut) > 1 and len(named) == 1:
            ways.append({PATH: cut.pop(named[0]), **_unnamed(cut)})
    before, _, last = whole.rpartition(" ")
    first, _, behind = whole.partition(" ")
    said = {NUMBER: first} if first.isdecimal() else {LABEL: first}  # a number in front counts the lines
    ways += [{PATH: before.strip(), LABEL: last}, {PATH: behind.strip(), **said}] if before else []
    middle, _, end = behind.rpartition(" ")
    ways += [{PATH: middle.strip(), LABEL: end}] if middle else []
    cut = whole.split()
    ends = next((i for i, piece in enumerate(cut, start=1) if piece.lower().endswith(SUFFIXES)), 1)
    if len(cut) > 2 and not all(map(NUMBERS.fullmatch, cut[ends:])):
        ways.append({PATH: " ".join(cut[:ends]), LABEL: " ".join(cut[ends:])})  # a class of several words
    return [*ways, {PATH: " ".join(cut[:ends]), **_unnamed(cut[ends:])}] if len(cut) > 1 else ways


def _unnamed(fields: Sequence[str]) -> Row:
    """What stands beside a path: a label, or columns that are numbered."""
    return {LABEL: fields[0]} if len(fields) == 1 else {str(i): field for i, field in enumerate(fields, start=2)}


def _of_table(name: str, text: str) -> Iterator[Row]:
    """The rows below a head; without a head the columns are numbered from 1."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    mark = max(BETWEEN, key=first.count)
    lines = [line for line in _fields(name, text, mark) if any(map(str.strip, line))]
    if not lines:
        return
    has_head = not any(field.strip().lower().endswith(SUFFIXES) for field in lines[0])
    head = [name.strip() for name in lines[0]] if has_head else [str(i) for i in range(1, len(lines[0]) + 1)]
    for line in lines[has_head:]:
        yield {key or str(i): field.strip() for i, (key, field) in enumerate(zip(head, line, strict=False), start=1)}


def _fields(name: str, text: str, mark: str, *, strict: bool = True) -> list[list[str]]:
    """The fields of each line. A quotation mark that nothing closes would swallow all that follows: it is refused."""
    csv.field_size_limit(LARGEST)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=strict)
    lines, begun = list[list[str]](), 1
    try:
        for line in reader:
            if any(_swallows(field, mark) for field in line):
                raise _unclosed(name, begun)
            lines.append(line)
            begun = reader.line_num + 1
    except csv.Error as reason:
        if "end of data" in str(reason):
            raise _unclosed(name, begun) from None
        return _fields(name, text, mark, strict=False)  # a mark in the middle of a field stands for itself
    return lines


def _unclosed(name: str, line: int) -> SslgraphError:
    return SslgraphError(
        f"{name}, line {line}: a quotation mark opens a field there and none closes it; close it, or write it twice "
        "where it is meant"
    )


def _swallows(field: str, mark: str) -> bool:
    """Whether a field goes over lines that name images."""
    if "\n" not in field:
        return False
    return any(piece.lower().endswith(SUFFIXES) for line in field.splitlines()[1:] for piece in line.split(mark))


def _of_objects(name: str, text: str) -> Iterator[Row]:
    """The objects of JSON, or of its lines; an image may also be a text or a number."""
    if name.lower().endswith(".json"):
        found = _json(name, text)
    else:
        found = [_json(name, line, before) for before, line in enumerate(text.splitlines()) if line.strip()]
    found = list(_of_object(found)) if isinstance(found, dict) else found
    if not isinstance(found, list) or not found:
        raise SslgraphError(
            f"{name} lists no images: it must be a list of objects, an object of file and label or of class and files, "
            "or have the keys images, annotations and categories"
        )
    for one in found:
        yield one if isinstance(one, dict) else {PATH: one if isinstance(one, int) else str(one)}


def _json(name: str, text: str, before: int = 0) -> Any:
    """What a text of JSON says, before which so many lines stand in its file."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as reason:
        at = f", line {before + reason.lineno}," if isinstance(reason, json.JSONDecodeError) else ""
        raise SslgraphError(f"{name}{at} can't be read as JSON: {getattr(reason, 'msg', reason)}") from None


def _of_object(found: dict[str, Any]) -> Iterator[Row]:
    """The images of an object: COCO's; by file, with a label or what is known of it; by class or split."""
    if isinstance(found.get("images"), list):
        yield from _of_coco(found)
    elif not any(isinstance(value, dict | list) for value in found.values()):
        yield from ({PATH: key, LABEL: value} for key, value in found.items())
    elif all(key.lower().endswith(SUFFIXES) and isinstance(value, dict) for key, value in found.items()):
        yield from ({PATH: key, **value} for key, value in found.items())
    elif all(isinstance(value, list) for value in found.values()):
        yield from (_of_group(key, one) for key, value in found.items() for one in value)


def _of_group(key: str, one: Any) -> Row:
    """An image that stands under its split or its class: {"train": [{...}]}, {"cat": ["a.jpg"]}."""
    of_key = {"split" if by_name(key) >= 0 else LABEL: key}
    if isinstance(one, list) and one:  # [file, number of the class, its name]
        return {PATH: one[0], **({LABEL: one[-1]} if len(one) > 1 else {}), **of_key}
    return {**of_key, **one} if isinstance(one, dict) else {PATH: one, **of_key}


def _of_coco(found: dict[str, Any]) -> Iterator[Row]:
    """The form of COCO and iNaturalist. An image whose annotations name several categories has no class."""
    names = {str(one.get("id")): one.get("name", one.get("id")) for one in _dicts(found.get("categories"))}
    several: dict[str, dict[str, Any]] = {}  # by texts, for what stands there need not be a number or a word
    for one in _dicts(found.get("annotations")):
        category = one.get("category_id")
        several.setdefault(str(one.get("image_id")), {})[str(category)] = category
    for one in _dicts(found["images"]):
        its = several.get(str(one.get("id")), {})
        label = next((names.get(key, category) for key, category in its.items()), None) if len(its) == 1 else None
        yield {**{key: value for key, value in one.items() if key != LABEL}, LABEL: label}


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
