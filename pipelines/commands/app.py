"""The command line. Exit codes: 0; 1, a wrong input; 2, usage."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from sslgraph import __version__
from sslgraph.errors import SslgraphError

from .diff import diff
from .draw import draw
from .options import ChangedData, FromScratch, Plugins, Sets, overrides
from .page import page
from .pages import report, views
from .proofs import replay, verify
from .submit import submit

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Self-supervised vision methods as graphs: written in YAML, checked, compiled to torch, trained, measured.",
)
out = Console(highlight=False, soft_wrap=True)


class Listed(StrEnum):
    """What `list` lists."""

    METHODS = "methods"
    PARTS = "parts"
    AUGMENTATIONS = "augmentations"


def main() -> None:
    """Runs a command; what a user can mend is one message on standard error and exit code 1."""
    # A plugin usually lies in the current folder. Last: a numpy.py that lies there must not replace numpy.
    sys.path.append(str(Path.cwd()))
    try:
        app(prog_name="sslgraph")
    except SslgraphError as fault:
        print(fault, file=sys.stderr)
        raise SystemExit(1) from None


@app.callback(invoke_without_command=True)
def version(show: Annotated[bool, typer.Option("--version", help="print the version")] = False) -> None:
    """Print the version, or go on to the command."""
    if show:
        print(__version__)
        raise typer.Exit


@app.command(name="list")
def list_specs(
    what: Annotated[Listed, typer.Argument(help="methods, parts, or augmentations")] = Listed.METHODS,
) -> None:
    """What there is to train and to write with: methods and their recipes, parts, augmentations."""
    from sslgraph.read import catalogue

    from ..look import parts
    from ..look import show as pages

    if what is Listed.PARTS:
        out.print(f"{parts.listing()}\n\nsslgraph show FAMILY.NAME: settings, inputs, outputs", markup=False)
        return
    if what is Listed.AUGMENTATIONS:
        for entry in catalogue.entries("augmentations"):
            out.print(f"{entry.name:<18}  {entry.line}", markup=False)
        return
    out.print(pages.methods(), markup=False)
    out.print("\nsslgraph show NAME; sslgraph check NAME; sslgraph train NAME (its demo recipe) or DATASET/NAME")


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="a method or a recipe, by name or file, or a part")],
    code: Annotated[bool, typer.Option("--code", help="the compiled training step as Python")] = False,
    resolved: Annotated[
        bool, typer.Option("--resolved", help="the whole text, with extends and references carried out")
    ] = False,
    gradients: Annotated[bool, typer.Option("--gradients", help="which loss reaches which parameters")] = False,
    plugin: Plugins = [],  # noqa: B006
    set_: Sets = [],  # noqa: B006
) -> None:
    """A method as text: its spec, its program, its gradient map; or a part: its settings, inputs and outputs."""
    from ..look import parts
    from ..look import show as pages

    if parts.is_part(name):
        out.print(parts.page(name, tuple(plugin)), markup=False)
        return
    given = overrides(set_)
    if code:
        out.print(pages.code(name, tuple(plugin), given), markup=False)
    if gradients:
        out.print(pages.gradients(name, tuple(plugin), given), markup=False)
    if resolved:
        out.print(pages.resolved_text(name, given), markup=False)
    if not (code or gradients or resolved):
        out.print(pages.page(name, tuple(plugin), given), markup=False)


@app.command()
def check(
    names: Annotated[
        list[str] | None, typer.Argument(help="methods or recipes, by name or file; all shipped ones if left out")
    ] = None,
    fast: Annotated[bool, typer.Option("--fast", help="only what needs no tensor: under a second")] = False,
    gradients: Annotated[bool, typer.Option("--gradients", help="print the gradient map of each")] = False,
    shapes: Annotated[bool, typer.Option("--shapes", help="print the shape of each value")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="warnings of the linter are faults")] = False,
    plugin: Plugins = [],  # noqa: B006
    set_: Sets = [],  # noqa: B006
) -> None:
    """Wiring, settings, shapes and gradients, before any data is read and any GPU is used."""
    from sslgraph.read import catalogue

    from ..check.check import examine
    from ..look.show import shape_table

    given, failed = overrides(set_), 0
    for name in names or [*catalogue.names("methods"), *catalogue.names("recipes")]:
        try:
            found = examine(name, fast=fast, imports=not fast, plugins=tuple(plugin), overrides=given)
        except SslgraphError as fault:
            print(fault, file=sys.stderr)
            failed += 1
            continue
        failed += bool(strict and found.findings)
        for finding in found.findings:
            out.print(f"{finding}", markup=False)
        count = f", {sum(map(found.sized.parameters, found.sized.parts)):,} parameters" if found.sized else ""
        out.print(
            f"{name}: right ({len(found.graph.training.values)} values, {len(found.gradients.losses)} "
            f"{'losses' if len(found.gradients.losses) > 1 else 'loss'}{count}; {found.seconds:.2f} s)",
            markup=False,
        )
        if gradients:
            out.print(f"{found.gradients}\n", markup=False)
        if shapes and found.sized:
            out.print(shape_table(found.sized), markup=False)
    raise typer.Exit(1 if failed else 0)


@app.command()
def train(
    name: Annotated[
        str | None,
        typer.Argument(help="a method (its demo recipe), a recipe as FOLDER/METHOD, or a file; not with --resume"),
    ] = None,
    data: Annotated[str | None, typer.Option("--data", help="images: a folder, parquet, .tar shards; s3://...")] = None,
    out_: Annotated[str | None, typer.Option("--out", help="run folder; an existing run there is continued")] = None,
    resume: Annotated[str | None, typer.Option("--resume", help="continue this run with its own settings")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="of weights, order and views")] = None,
    workers: Annotated[int, typer.Option("--workers", help="processes that train together, through Ray Train")] = 1,
    address: Annotated[str | None, typer.Option("--address", help="of a running Ray cluster")] = None,
    profile: Annotated[bool, typer.Option("--profile", help="where the time of a step goes: a table, a trace")] = False,
    from_scratch: FromScratch = False,
    changed_data: ChangedData = False,
    plugin: Plugins = [],  # noqa: B006
    set_: Sets = [],  # noqa: B006
) -> None:
    """Train a method; on one process it starts here and now, on several through Ray Train."""
    from ..check.request import request
    from ..launch.launch import launch

    if name is None and resume is None:
        raise typer.BadParameter("name a method, a recipe or a file (see sslgraph list), or a run with --resume")
    name = name or str(Path(str(resume)) / "resolved.yaml")
    cfg = request(name, data=data, out=out_, resume=resume, seed=seed, plugins=tuple(plugin), overrides=overrides(set_))
    cfg |= {"profile": profile, "from_scratch": from_scratch, "changed_data": changed_data}
    summary = launch(cfg, workers=workers, address=address)
    folder = Path(str(summary["checkpoint"])).parent.parent
    holes = summary.get("missing_steps")
    said = f"finished, but metrics.jsonl has no line for steps {holes}" if holes else "done"
    out.print(f"{said}: {folder}\nNext: sslgraph evaluate {folder} | sslgraph report {folder}", markup=False)


@app.command()
def evaluate(
    run: Annotated[str, typer.Argument(help="a run folder")],
    data: Annotated[str | None, typer.Option("--data", help="other images than those it was trained on")] = None,
    plugin: Plugins = [],  # noqa: B006
) -> None:
    """Nearest neighbours and a linear probe, beside the same for the untrained encoder and for bare pixels."""
    from ..evaluate.evaluate import evaluate as measure
    from ..evaluate.evaluate import table

    out.print(table(measure(Path(run), data=data, plugins=tuple(plugin))))


@app.command()
def plan(
    name: Annotated[str, typer.Argument(help="a method (at the paper's size) or a recipe, by name or file")],
    gpus: Annotated[int, typer.Option("--gpus", help="that train together")] = 1,
    memory: Annotated[str, typer.Option("--memory", help="of each GPU")] = "80GB",
    batch: Annotated[int | None, typer.Option("--batch", help="global; the recipe's if left out")] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", help="the recipe's, or 100")] = None,
    images: Annotated[int | None, typer.Option("--images", help="of the data set; ImageNet's 1,281,167")] = None,
    tflops: Annotated[
        float | None, typer.Option("--tflops", help="1e12 operations a second that a GPU keeps up")
    ] = None,
    strategy: Annotated[str | None, typer.Option("--strategy", help="ddp, or fsdp: weights shared out")] = None,
    recompute: Annotated[list[str], typer.Option("--recompute", help="a net whose blocks are computed twice")] = [],  # noqa: B006
    calibrate: Annotated[bool, typer.Option("--calibrate", help="time the recipe's feed and steps here")] = False,
    plugin: Plugins = [],  # noqa: B006
    set_: Sets = [],  # noqa: B006
) -> None:
    """What a run will need: parameters, arithmetic, memory, messages, hours, and how fast data must come."""
    from ..plan.text import page

    asked = {"gpus": gpus, "memory": memory, "batch": batch, "epochs": epochs, "images": images, "tflops": tflops}
    asked |= {"strategy": strategy, "recompute": recompute}
    out.print(page(name, asked, calibrated=calibrate, plugins=tuple(plugin), overrides=overrides(set_)), markup=False)


@app.command()
def data(
    path: Annotated[str, typer.Argument(help="a folder of images, of parquet files or of .tar shards, or an address")],
    prepare: Annotated[str | None, typer.Option("--prepare", help="write them here, small, for fast reading")] = None,
    side: Annotated[int, typer.Option("--side", help="of the shorter side of what is written, pixels")] = 256,
    form: Annotated[str, typer.Option("--form", help="jpeg, or raw: eight times the room, no decoding")] = "jpeg",
) -> None:
    """What images lie at a path and how fast they are read here; --prepare writes them for fast reading."""
    from ..feed.preparing import inspect, prepare_images

    if prepare is None:
        out.print(inspect(path), markup=False)
        return
    for written in prepare_images(path, prepare, side=side, form=form):
        out.print(f"{written}", markup=False)
    out.print(f"train on them: sslgraph train NAME --data {prepare}", markup=False)


for command in (draw, diff, page, views, report, verify, replay, submit):
    app.command()(command)
