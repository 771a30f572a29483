"""The artefact of a stage: named by a hash of everything that it is made from, and marked when it is complete."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sslgraph import home
from sslgraph.files import whole_file
from sslgraph.parts import registry

MARKER = "done.json"
LETTERS = 10  # of the hash in a folder's name


@dataclass(frozen=True)
class Sources:
    """Hashes of what a stage is made from: its resolved text, the artefacts that it is given, the code of its parts."""

    text: str
    inputs: str
    code: str

    @property
    def key(self) -> str:
        """The hash of all three."""
        return digest([self.text, self.inputs, self.code])

    def difference(self, then: Mapping[str, Any]) -> str:
        """Which of them differ from those of an earlier artefact, in words."""
        now = {"text": self.text, "inputs": self.inputs, "code": self.code}
        return " and ".join(name for name, value in now.items() if then.get(name) != value)


def digest(value: Any) -> str:
    """A hash of plain values."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def code_of(text: Any, plugins: tuple[str, ...]) -> str:
    """A hash of the files of all parts that a plain text names with `use:`, and of the neighbours that they import."""
    files = [registry.signature(use, plugins).file for use in sorted(set(_uses(text)))]
    seen: dict[Path, bytes] = {}
    for file in files:
        _read(Path(file), seen)
    return digest([hashlib.sha256(content).hexdigest() for _, content in sorted(seen.items())])


def _uses(text: Any) -> Iterator[str]:
    for key, value in text.items() if isinstance(text, Mapping) else ():
        if key == "use" and isinstance(value, str) and ("." in value or ":" in value):
            yield value
        yield from _uses(value)
    for value in text if isinstance(text, list) else ():
        yield from _uses(value)


def _read(file: Path, seen: dict[Path, bytes]) -> None:
    if file in seen or not file.is_file():
        return
    seen[file] = file.read_bytes()
    for node in ast.walk(ast.parse(seen[file])) if file.is_relative_to(home.COMPONENTS) else ():
        if isinstance(node, ast.ImportFrom) and node.level and node.module:
            _read(file.parents[node.level - 1].joinpath(*node.module.split(".")).with_suffix(".py"), seen)


def folder_of(out: Path, stage: str, sources: Sources) -> Path:
    """The folder of a stage's artefact."""
    return out / f"{stage}-{sources.key[:LETTERS]}"


def done(folder: Path) -> dict[str, Any] | None:
    """What was said when it was finished; None if it is not."""
    return whole_file.mapping(folder / MARKER)


def finish(folder: Path, sources: Sources, facts: Mapping[str, Any]) -> None:
    """Marks an artefact as whole, after everything else in it is written."""
    marker = {"text": sources.text, "inputs": sources.inputs, "code": sources.code, **facts}
    whole_file.put_json(folder / MARKER, marker)


def earlier(out: Path, stage: str) -> dict[str, Any] | None:
    """The newest finished artefact of a stage, whatever it was made from."""
    there = [path for path in out.glob(f"{stage}-*/{MARKER}") if len(path.parent.name) == len(stage) + 1 + LETTERS]
    return done(max(there, key=lambda path: path.stat().st_mtime).parent) if there else None
