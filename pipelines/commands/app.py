"""The command line: registers every command. Exit codes: 0 success, 1 wrong input, 2 wrong usage."""

from __future__ import annotations

import errno
import sys
from typing import Annotated

import typer
from typer import Option

from sslgraph import __version__
from sslgraph.errors import SslgraphError
from sslgraph.files.write_whole import reason

from . import printing
from .runs.data import data
from .runs.embed import embed
from .runs.evaluate import evaluate
from .runs.export_encoder import export
from .runs.neighbours import neighbours
from .runs.replay import replay
from .runs.report import report
from .runs.run_pipeline import run
from .runs.search import search
from .runs.status import status
from .runs.submit import submit
from .runs.train import train
from .texts.check import check
from .texts.diff import diff
from .texts.draw import draw
from .texts.explain_value import explain
from .texts.init import init
from .texts.list import list_specs
from .texts.new import new
from .texts.page import page
from .texts.plan import plan
from .texts.schema import schema
from .texts.show import show
from .texts.verify import verify
from .texts.views import views

COMMANDS = (
    *(show, explain, check, train, evaluate, embed, export, neighbours, run, search, status, plan, data, draw, diff),
    *(page, views, report, verify, replay, submit, init, new, schema),
)
# What a disk refuses wherever it is met: no fault of the program, and no trace of it helps.
STORAGE = {
    getattr(errno, name)
    for name in ("EACCES", "EPERM", "EROFS", "ENOSPC", "EDQUOT", "ENAMETOOLONG", "ENOTDIR", "EIO", "ESTALE")
}
FULL = {errno.ENOSPC, errno.EDQUOT}  # of standard output, too, which has no name
app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Self-supervised vision methods as graphs: written in YAML, checked, compiled to torch, trained, measured.",
)


def main() -> None:
    """Runs a command; what a user can mend is one message on standard error and exit code 1."""
    printing.print_anything()
    try:
        app(prog_name="sslgraph")
    except SslgraphError as fault:
        print(fault, file=sys.stderr)
        raise SystemExit(1) from None
    except OSError as problem:
        if problem.errno in FULL and problem.filename is None:
            printing.give_up()
            print(f"what this command prints or writes can't be written: {reason(problem)}", file=sys.stderr)
        elif problem.errno not in STORAGE or problem.filename is None:
            raise
        else:
            print(f"{problem.filename} can't be used: {reason(problem)}", file=sys.stderr)
        raise SystemExit(1) from None


@app.callback(invoke_without_command=True)
def version(show: Annotated[bool, Option("--version", help="Print the version")] = False) -> None:
    """Print the version, or run the command."""
    if show:
        print(__version__)
        raise typer.Exit


app.command(name="list")(list_specs)
for command in COMMANDS:
    app.command()(command)
