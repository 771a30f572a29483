"""Writes a commented recipe for a method on the user's own images."""

from __future__ import annotations

import json
import re
from pathlib import Path

from sslgraph.errors import SpecError, SslgraphError, unknown
from sslgraph.files.write_whole import put_whole
from sslgraph.read import catalogue
from sslgraph.read.load import load_recipe

HERE = Path(__file__).parent
DATASET = "photos"  # whose numbers the recipe begins with


def new_recipe(method: str, file: Path, *, use: str, path: str) -> None:
    """Writes the recipe; `use` is the source that reads the path, "" for the shipped recipe's own.

    SslgraphError where a file is there, or can't be.
    """
    if method not in catalogue.names("methods"):
        raise SpecError([unknown((), "there is no method", method, catalogue.names("methods"))])
    if file.suffix not in (".yaml", ".yml"):
        raise SslgraphError(f"{file}: a recipe's file ends in .yaml")
    if file.exists():
        raise SslgraphError(f"{file} is there already; give another name with -o")
    name = f"{DATASET}/{method}"
    recipe = load_recipe(name).spec
    is_own = catalogue.base_of(name) is None
    extends = f"extends: {name}" if is_own else f"extends: {DATASET}/base\nmethod: {method}"
    words = {
        "TITLE": recipe.method.method,
        "FILE": str(file),
        "EXTENDS": extends,
        "SOURCE": use or recipe.data.use,
        "DATA": json.dumps(path or recipe.data.settings["path"]),
        "EPOCHS": str(recipe.epochs),
        "BATCH": str(recipe.batch),
        "LR": json.dumps(recipe.optimizer["lr"]).replace('"', ""),
    }
    text = (HERE / "recipe.txt").read_text(encoding="utf-8")
    put_whole(file, re.sub(rf"\b({'|'.join(words)})\b", lambda word: words[word[1]], text))
