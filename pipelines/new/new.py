"""Writes a new part as three files that work at once: the part, its tests, and a method that uses it."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

from sslgraph.errors import SslgraphError
from sslgraph.files.write_whole import put_whole

HERE = Path(__file__).parent
# What a part is like, by the folder that it is written into.
KINDS = {"losses": "loss", "heads": "net", "backbones": "net", "nets": "net", "memory": "state", "state": "state"}
KINDS |= {"sources": "source", "data": "source"}
DEFAULT = "op"
CHANGE = re.compile(r"((?:^-.*\n)+)((?:^\+.*\n)+)", re.MULTILINE)


def new_part(place: Path, kind: str = "") -> dict[Path, str]:
    """Writes the three files; the paths, each with what it is. SslgraphError where one is there or can't be.

    `kind` is loss, net, op, source or state; left out, the folder's name says it, and an unknown folder means an op.
    """
    name = _name(place)
    part, test, changes = _texts(kind or KINDS.get(place.absolute().parent.name, DEFAULT))
    method = place.with_suffix(".yaml")
    contents = {
        place: (part, "the part"),
        place.with_name(f"test_{place.name}"): (test, "its tests"),
        method: (_changed((HERE / "method.txt").read_text(encoding="utf-8"), changes), "a method that uses it"),
    }
    if there := [path for path in contents if path.exists()]:
        raise SslgraphError(f"{there[0]} is there already; give the part another name")
    words = {"CLASS": "".join(word.capitalize() for word in name.split("_")), "NAME": name, "METHOD": str(method)}
    for path, (text, _) in contents.items():
        put_whole(path, re.sub(r"\b(CLASS|NAME|METHOD)\b", lambda word: words[word[1]], text))
    return {path: what for path, (_, what) in contents.items()}


def _name(place: Path) -> str:
    """The name of the module that the part will be."""
    if place.suffix != ".py" or not re.fullmatch("[a-z][a-z0-9_]*", place.stem):
        raise SslgraphError(f"{place}: write a Python file in small letters, for example losses/my_loss.py")
    if not place.parent.is_dir():
        raise SslgraphError(f"there is no folder {place.parent}; make it first: mkdir -p {place.parent}")
    if find_spec(place.stem) is not None:
        raise SslgraphError(f"Python already has a module named {place.stem}; give the part another name")
    return place.stem


def _texts(kind: str) -> list[str]:
    known = sorted({*KINDS.values(), DEFAULT})
    if kind not in known:
        raise SslgraphError(f"there is no kind of part '{kind}'; there is {', '.join(known)}")
    return (HERE / f"{kind}.txt").read_text(encoding="utf-8").split("=====\n")


def _changed(text: str, changes: str) -> str:
    """A text with the lines behind `-` replaced by those behind `+`."""
    for old, new in CHANGE.findall(changes):
        before, after = (re.sub("^[-+]", "", lines, flags=re.MULTILINE) for lines in (old, new))
        text = text.replace(before, after, 1)
    return text
