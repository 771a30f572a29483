"""A file as it is written: plain values, and the line and column of each. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path as File
from typing import Any

from sslgraph.errors import Place, refusal, words
from sslgraph.read.located import Value
from sslgraph.read.spec import Path
from sslgraph.read.yaml_12 import parse

BYTES = 1 << 20  # a spec has a few kilobytes: a larger file is something else
# The word that each kind of text opens with.
KINDS = {**{kind: kind for kind in ("recipe", "pipeline", "augmentation")}, "extends": "method", "method": "method"}


@dataclass(frozen=True)
class Document:
    """A file that was read: its values with their places."""

    file: File
    root: Value

    @property
    def data(self) -> dict[str, Any]:
        """The plain values."""
        plain: dict[str, Any] = self.root.plain
        return plain

    @property
    def kind(self) -> str:
        """What the text is: a method, a recipe, a pipeline or an augmentation; each opens with its own word."""
        for word, kind in KINDS.items():
            if word in self.root.content:
                return kind
        cure = "open it with one of these and a name"
        raise refusal(self.root.place, "the text does not say what it is", cure, KINDS)

    def of_kind(self, kind: str) -> Document:
        """This document; refused if it is of another kind."""
        if self.kind != kind:
            raise refusal(self.root.place, f"this is a {self.kind}, and a {kind} is asked for")
        return self

    def place(self, path: Path) -> Place:
        """The place of the value at a path; of a path that is not there, that of the innermost value around it."""
        return self.root.nearest(path).place


def read(file: File) -> Document:
    """Reads a file; raises SpecError with every fault of its YAML."""
    return read_text(_text(file), file)


def read_text(text: str, file: File) -> Document:
    """Reads a text as if it stood in `file`."""
    name = shown(file)
    root = parse(text.removeprefix("\ufeff"), name)
    if root is None:
        raise refusal(Place(name), "the file is empty", "open it with method:, recipe:, pipeline: or augmentation:")
    if not isinstance(root.content, dict):
        raise refusal(root.place, f"the text is {words(root.content)}, not a mapping", "write key: value lines")
    return Document(file, root)


def read_value(text: str, name: str) -> Any:
    """Reads the value of a command-line setting, such as `1e-4` or `{cosine: [0.4, 0]}`; messages call it `name`."""
    value = parse(text, name)
    return value.plain if value else None


def shown(file: File) -> str:
    """The file's name as messages show it: relative if it is below the working folder."""
    return str(file.relative_to(File.cwd())) if file.is_relative_to(File.cwd()) else str(file)


def _text(file: File) -> str:
    name = Place(shown(file))
    try:
        if file.is_dir():
            raise refusal(name, "this is a folder", "name the file in it")
        if not file.is_file():
            cure = "check the path; a shipped spec is named without .yaml, see sslgraph list"
            raise refusal(name, "there is no such file", cure)
        with file.open("rb") as opened:
            data = opened.read(BYTES + 1)
    except OSError as wrong:
        raise refusal(name, f"the file can't be read: {wrong.strerror or wrong}") from None
    if len(data) > BYTES:
        raise refusal(name, f"the file is larger than {BYTES >> 20} MiB, so it is no spec")
    if b"\0" in data:
        raise refusal(name, "the file is binary, not text")
    try:
        return data.decode()
    except UnicodeDecodeError as wrong:
        before = data[: wrong.start]
        place = Place(shown(file), before.count(b"\n") + 1, wrong.start - before.rfind(b"\n"))
        raise refusal(place, f"byte 0x{data[wrong.start]:02x} is not UTF-8 text", "save the file as UTF-8") from None
