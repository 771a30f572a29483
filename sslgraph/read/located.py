"""A value of a text with its place in a file, through every edit. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sslgraph.errors import Place
from sslgraph.read.spec import Path


@dataclass(frozen=True)
class Value:
    """A value of a text (a scalar, a list of values, a mapping of names to values), its place, and its key's place."""

    content: Any
    place: Place
    key: Place | None = None

    @property
    def plain(self) -> Any:
        """The value without its places."""
        if isinstance(self.content, dict):
            return {name: value.plain for name, value in self.content.items()}
        if isinstance(self.content, list):
            return [value.plain for value in self.content]
        return self.content

    @property
    def files(self) -> tuple[str, ...]:
        """The files of it and of the values in it: its own, then those of parents and of changes."""
        found = {self.place.file: None} if self.place.line else {}
        inner = self.content
        for value in inner.values() if isinstance(inner, dict) else inner if isinstance(inner, list) else ():
            found.update(dict.fromkeys(value.files))
        return tuple(found)

    def child(self, name: str | int) -> Value | None:
        """The value under a key, at an index, or, in a list of named mappings such as phases, of that name."""
        if isinstance(self.content, dict):
            return self.content.get(name)
        if not isinstance(self.content, list):
            return None
        if str(name).isdecimal() and len(str(name)) < 6:
            return self.content[int(name)] if int(name) < len(self.content) else None
        return next((item for item in self.content if (own := item.child("name")) and own.content == name), None)

    def nearest(self, path: Path) -> Value:
        """The value at a path, or the innermost one around it that is there; the path may have `settings` in it."""
        value = self
        for name in path:
            inner = value.child(name)
            if inner is None and name != "settings":
                return value
            value = inner or value
        return value


def written(plain: Any, place: Place) -> Value:
    """A plain value that was given elsewhere than in a text, all of it at one place."""
    if isinstance(plain, Mapping):
        return Value({str(name): written(inner, place) for name, inner in plain.items()}, place, place)
    if isinstance(plain, list | tuple):
        return Value([written(inner, place) for inner in plain], place, place)
    return Value(plain, place, place)
