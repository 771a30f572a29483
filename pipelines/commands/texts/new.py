"""`sslgraph new`: writes the files of the user's own part."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from ..options import out


class What(StrEnum):
    """What `new` writes."""

    PART = "part"


def new(
    what: Annotated[What, Argument(help="What to write: part")],
    place: Annotated[Path, Argument(help="Python file to write, such as losses/my_loss.py")],
    kind: Annotated[
        str, Option("--kind", help="Kind: loss, net, op, source or state; left out, the folder says it")
    ] = "",
) -> None:
    """Write a part of your own, with tests and a method.

    All three files work as they are, so that you change one thing at a time. docs/parts.md says what a part may do.
    """
    from ...new.new import new_part

    assert what is What.PART
    files = new_part(place, kind)
    width = max(len(str(path)) for path in files)
    for path, meant in files.items():
        out.print(f"{path!s:<{width}}  {meant}")
    _, test, method = files
    check = f"sslgraph check {method} --plugin {place.stem}"
    out.print(f"Next: pytest {test}; {check}; sslgraph verify {method}")
