"""`sslgraph replay`: runs the step again whose loss became NaN or infinite."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer import Argument

from ..options import Plugins


def replay(
    folder: Annotated[str, Argument(help="Folder not_finite_step_... of a run")],
    plugin: Plugins = [],
) -> None:
    """Re-run the step whose loss became NaN or infinite.

    The first value that is not finite is printed, with what went into it.
    """
    from ...train.replay import replay as again

    seen = again(Path(folder), plugins=tuple(plugin))
    typer.echo(f"{seen}")
    raise typer.Exit(0 if seen.found else 1)
