"""Paths in a recipe: relative to their text; on the command line, to the working folder. Imports no torch.

A run keeps them absolute, so that it is evaluated, reported and continued from anywhere.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path as File

from sslgraph import home
from sslgraph.files.addresses import is_address
from sslgraph.read.located import Value

# What may be a name instead of a path, such as that of a data set on a hub.
_NAME = re.compile(r"[\w-][\w.-]*(/[\w.-]+)?")
LIBRARY = "timm:"  # begins the name of published weights, which are no file here


def absolute(text: Value) -> Value:
    """The text of a recipe with the paths of its data, given weights, begin_with and evaluate absolute."""
    changes: dict[str, Callable[[Value], Value]] = {
        "data": lambda data: _inside(data, lambda key: key == "path"),
        "given": lambda given: _inside(given, lambda _: True),
        "begin_with": located,
        "evaluate": _measured,
    }
    return replace(text, content={k: changes[k](v) if k in changes else v for k, v in text.content.items()})


def _measured(node: Value) -> Value:
    if not isinstance(node.content, dict):
        return node
    inside = {measure: _inside(asked, lambda key: key == "path") for measure, asked in node.content.items()}
    return replace(node, content=inside)


def _inside(node: Value, is_path: Callable[[str], bool]) -> Value:
    if not isinstance(node.content, dict):
        return node
    return replace(node, content={key: located(v) if is_path(key) else v for key, v in node.content.items()})


def located(value: Value) -> Value:
    """The same path as it means the same from everywhere. An address stays, and a name that is no path here, too.

    Links are not followed: the files of a hub's cache have their names in one folder and their content in another.
    """
    written = value.content
    if not isinstance(written, str) or is_address(written) or written.startswith(LIBRARY) or not written:
        return value
    found = File(_folder(value), File(written).expanduser())
    is_name = _NAME.fullmatch(written) is not None
    return value if is_name and not found.exists() else replace(value, content=os.path.normpath(found))


def _folder(value: Value) -> File:
    """The folder that a path is relative to."""
    text = File(value.place.file)
    is_file = value.place.line > 0 and not text.resolve().is_relative_to(home.SPECS)
    return text.resolve().parent if is_file else File.cwd()
