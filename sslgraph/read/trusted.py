"""The modules that this user has allowed to run, with their files: kept in the user's own folder.

A text names the plugins it needs, and that lets nothing run: the text may come from anyone. `--plugin` does, and is
remembered here for the next command.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from sslgraph import home
from sslgraph.files import whole_file

Known = tuple[str, str]  # the module's name; the file of its outermost package


def is_trusted(module: str, file: Path | None) -> bool:
    """Whether this module, or a package around it, was let run when it came from this file."""
    around = module.split(".")
    names = {".".join(around[: depth + 1]) for depth, _ in enumerate(around)}
    return file is not None and any((name, str(file.resolve())) in _known() for name in names)


def remember(modules: Iterable[tuple[str, Path]]) -> None:
    """Adds modules. Where the user has no folder, or it can't be written, the next command has to name them again."""
    there = _known()
    more = {(module, str(file.resolve())) for module, file in modules} - there
    if more:
        with suppress(OSError, RuntimeError):
            file = home.own_folder(home.config()) / "trusted.json"
            whole_file.put(file, json.dumps(sorted(there | more), indent=1).encode())


def _known() -> set[Known]:
    try:
        file = home.config() / "trusted.json"
        if not home.is_own(file):
            return set()
        return {(str(module), str(path)) for module, path in json.loads(file.read_text(encoding="utf-8"))}
    except (OSError, RuntimeError, ValueError, TypeError):
        return set()
