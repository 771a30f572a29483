"""`sslgraph list`: lists methods, recipes, parts and augmentations."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from typer import Argument

from ..options import out


class Listed(StrEnum):
    """What `list` lists."""

    METHODS = "methods"
    PARTS = "parts"
    AUGMENTATIONS = "augmentations"


def list_specs(
    what: Annotated[Listed, Argument(help="What to list")] = Listed.METHODS,
    word: Annotated[str, Argument(help="Word that a part has in its line, such as supervised")] = "",
) -> None:
    """List methods and their recipes, parts or augmentations."""
    from sslgraph.errors import SslgraphError
    from sslgraph.read import catalogue

    from ...look import parts
    from ...look import show as pages

    if what is Listed.PARTS:
        out.print(f"{parts.listing(word)}\n\nsslgraph show FAMILY.NAME: settings, inputs, outputs")
        return
    if word:
        raise SslgraphError(f"{what} are not searched for '{word}'; parts are: sslgraph list parts {word}")
    if what is Listed.AUGMENTATIONS:
        for entry in catalogue.entries("augmentations"):
            out.print(f"{entry.name:<18}  {entry.line}")
        return
    out.print(pages.methods())
    out.print("\nsslgraph show NAME; sslgraph check NAME; sslgraph train NAME (its demo recipe) or DATASET/NAME")
