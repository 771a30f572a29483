"""What several commands share: options, how they are read, and the console that prints."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from rich.console import Console
from typer import Argument, Option

from sslgraph.errors import SslgraphError


def spec_names(begun: str) -> list[str]:
    """What a shell completes where a spec is named: methods, and recipes once their data set is written."""
    from sslgraph.read import catalogue

    return [name for name in catalogue.names("recipes" if "/" in begun else "methods") if name.startswith(begun)]


def named(help_: str) -> Any:
    """The argument that names a spec, which shells complete."""
    return Argument(autocompletion=spec_names, help=help_)


Plugins = Annotated[list[str], Option("--plugin", help="Python module whose parts this spec may use")]
Sets = Annotated[list[str], Option("--set", help="Value to change, such as losses.contrast.temperature=0.2")]

Run = Annotated[str, Argument(help="Run folder, or address such as s3://bucket/run")]
Data = Annotated[str | None, Option("--data", help="Images: a folder, parquet files, .tar shards; s3://...")]
Seed = Annotated[int | None, Option("--seed", min=0, help="Seed for weights, data order and views")]
# Of commands that encode images.
Workers = Annotated[int, Option("--workers", help="Processes that share the images, through Ray")]
Address = Annotated[str | None, Option("--address", help="Ray cluster to join, with --workers")]
# Of pipelines.
Artefacts = Annotated[str | None, Option("--out", help="Folder of the artefacts; default runs/PIPELINE")]
StageData = Annotated[str | None, Option("--data", help="Images, or videos, of the stages that name none")]

FromScratch = Annotated[
    bool, Option("--from-scratch", help="Start at step 0 if the run has recorded steps but no checkpoint")
]
ChangedData = Annotated[bool, Option("--changed-data", help="Continue with other images than the run had")]


def spec_of(name: str) -> str:
    """What a command reads where a spec is named: of a run folder the text that it was trained by."""
    text = Path(name) / "resolved.yaml"
    return str(text) if text.is_file() else name


out = Console(highlight=False, soft_wrap=True, markup=False, emoji=False)


def labels(texts: list[str]) -> dict[str, str]:
    """The names of `--label f=student`."""
    found = {}
    for text in texts:
        part, sign, name = text.partition("=")
        if not sign or not part.strip() or not name.strip():
            raise SslgraphError(f"--label {text}: write a part, an equals sign and its name: --label f=student")
        found[part.strip()] = name.strip().strip('"')
    return found


UNITS = {"in": 1.0, "cm": 1 / 2.54, "mm": 1 / 25.4, "pt": 1 / 72}


def length(text: str, option: str) -> float:
    """A length on paper in inches: "3.25in", "82mm"; SslgraphError if it is none."""
    number, unit = text.strip()[:-2], text.strip()[-2:]
    try:
        inches = float(number) * UNITS[unit]
    except (ValueError, KeyError):
        inches = 0.0
    if not 0 < inches < 1000:
        raise SslgraphError(f"{option} {text}: write a length with its unit: {', '.join(UNITS)}; for example 3.25in")
    return inches


def overrides(texts: list[str]) -> dict[str, Any]:
    """The values of `--set a.b=c`, read as YAML."""
    from sslgraph.read.document import read_value

    given = {}
    for text in texts:
        path, sign, value = text.partition("=")
        if not sign or not path.strip():
            raise SslgraphError(
                f"--set {text}: write a path, an equals sign and a value, for example --set optimizer.lr=0.1"
            )
        given[path.strip()] = read_value(value, f"--set {path.strip()}")
    return given


def numbered(seeds: str | None, seed: int | None, resume: str | None) -> list[int | None]:
    """The seeds of the runs to train; None for the recipe's own."""
    if seeds is None:
        return [seed]
    found = [word.strip() for word in seeds.split(",")]
    if not all(word.isdecimal() for word in found) or len(set(found)) < len(found):
        raise SslgraphError(f"--seeds {seeds}: write different whole numbers with commas between, such as 0,1,2")
    if seed is not None or resume is not None:
        raise SslgraphError("--seeds trains new runs; leave --seed and --resume out")
    return [int(word) for word in found]
