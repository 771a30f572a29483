"""`sslgraph schema`: writes the language as a JSON schema for editors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from typer import Option


def schema(
    file: Annotated[Path | None, Option("-o", "--out", help="File to write; left out, it is printed")] = None,
) -> None:
    """Print the JSON schema by which editors check specs.

    A first line `# yaml-language-server: $schema=FILE` in a spec lets an editor complete and check it.
    """
    from sslgraph.files.write_whole import put_whole

    from ...look.json_schema import json_schema

    text = f"{json.dumps(json_schema(), indent=1)}\n"
    if file is None:
        typer.echo(text, nl=False)
        return
    put_whole(file, text)
    typer.echo(f"written: {file}")
