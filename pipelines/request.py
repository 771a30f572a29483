"""What a command line asks of a run, as the plain mapping that `launch` takes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sslgraph.errors import SslgraphError
from sslgraph.load import load_recipe

# What `source_for` chooses among.
READERS = ("sources.prepared", "sources.parquet", "sources.webdataset", "sources.image_folder")


def request(
    name: str,
    *,
    data: str | None = None,
    out: str | None = None,
    resume: str | None = None,
    seed: int | None = None,
    plugins: tuple[str, ...] = (),
    overrides: Mapping[str, Any] | None = None,
    is_here: bool = True,
) -> dict[str, Any]:
    """The request; `resume` is a run folder that must be there, `data` a path whose content says what it holds.

    If not `is_here`, `data` lies on another machine and is not looked at.
    """
    given = dict(overrides or {})
    if seed is not None:
        given["seed"] = seed
    if resume is not None:
        if out is not None and Path(out).resolve() != Path(resume).resolve():
            raise SslgraphError(f"--resume {resume} goes on in its own folder; leave --out {out} away")
        if not (Path(resume) / "resolved.yaml").is_file():
            raise SslgraphError(
                f"--resume {resume}: there is no run in that folder (no resolved.yaml); give the folder of a run"
            )
        out = resume
    if data is not None:
        given |= _data(name, data, given, is_here)
    return {"recipe": name, "overrides": given, "plugins": plugins, "out": out}


def _data(name: str, path: str, given: Mapping[str, Any], is_here: bool) -> dict[str, Any]:
    """`--data PATH`: the source that reads what lies there, with the recipe's limits; an own source reads its own."""
    from sslgraph import registry

    recipe = load_recipe(name, dict(given)).recipe
    absolute, use = str(Path(path).expanduser().resolve()), recipe.data.use
    if (use not in READERS or not is_here) and "path" in registry.signature(use, tuple(recipe.plugins)).settings:
        return {"data.path": absolute}
    if not is_here:
        return {}
    found = source_for(Path(absolute))
    known = registry.signature(found).settings
    kept = {setting: value for setting, value in recipe.data.settings.items() if setting in known}
    return {"data": {"use": found, **kept, "path": absolute}}


def source_for(path: Path) -> str:
    """The source that reads what lies at a path: prepared images, parquet files, tar shards, or a folder of images."""
    if not path.exists():
        raise SslgraphError(
            f"--data {path}: there is nothing there; give a folder of images, of parquet files or of .tar shards"
        )
    if (path / "prepared.json").is_file():
        return "sources.prepared"
    for suffix, source in (("parquet", "sources.parquet"), ("tar", "sources.webdataset")):
        if path.suffix == f".{suffix}" or (path.is_dir() and _holds(path, suffix)):
            return source
    return "sources.image_folder"


def _holds(folder: Path, suffix: str) -> bool:
    return any(folder.glob(f"*.{suffix}")) or any(folder.glob(f"*/*.{suffix}"))
