"""`sslgraph init`: writes a recipe for the user's own images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from ..options import out


def init(
    method: Annotated[str, Argument(help="Method, by name")],
    data: Annotated[str, Option("--data", help="Images: a folder, parquet files, .tar shards; s3://...")] = "",
    file: Annotated[Path | None, Option("-o", "--out", help="File to write; default METHOD.yaml")] = None,
) -> None:
    """Write a recipe for your own images, with comments."""
    from ...check.request import located, source_for
    from ...new.recipe import new_recipe

    place = file or Path(f"{method}.yaml")
    path = located(data) if data else ""
    new_recipe(method, place, use=source_for(path) if path else "", path=path)
    out.print(f"written: {place}\nNext: sslgraph check {place}; sslgraph train {place}")
