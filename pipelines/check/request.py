"""Turns the options of a command line into the plain mapping that `launch` takes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from sslgraph.errors import SslgraphError
from sslgraph.files.addresses import is_address
from sslgraph.parts import registry
from sslgraph.read.load import load_recipe
from sslgraph.read.paths import LIBRARY
from sslgraph.read.spec import Data
from sslgraph.schedules import schedule

from . import check, photographs

MOVING = ("cosine", "linear", "steps")  # schedules whose values are numbers in a list
FILE = "file://"  # an address of this machine
# Settings that say how images are read, and not how many or where.
READING = ("label", "image", "classes", "links", "range", "channels")


def request(
    name: str,
    *,
    data: str | None = None,
    out: str | None = None,
    resume: str | None = None,
    seed: int | None = None,
    epochs: int | None = None,
    lr: float | None = None,
    plugins: tuple[str, ...] = (),
    overrides: Mapping[str, Any] | None = None,
    is_here: bool = True,
    say: Callable[[str], object] = print,
) -> dict[str, Any]:
    """The request; `resume` is a run folder that must be there, `data` a path whose content says what it holds.

    A method named alone is trained on photographs by the recipe for them, and `say` prints that. `lr` is the highest
    rate of the recipe's schedule, whose form stays. `resume` with `epochs` asks for a new run of so many epochs that
    begins with the weights of that run. If not `is_here`, `data` lies on another machine and is not looked at. It may
    be an address, such as s3://bucket.
    """
    given = dict(overrides or {})
    if seed is not None:
        given["seed"] = seed
    if epochs is not None:
        given["epochs"] = epochs
    if resume is not None:
        from ..storage import fetching

        folder = fetching.visit(resume)
        name, out = name or str(folder / "resolved.yaml"), _resumed(resume, folder, out, given, epochs)
    if data is not None:
        absolute = located(data)
        is_new = is_here and resume is None
        found = photographs.chosen(name, absolute, source_for(absolute), given, plugins) if is_new else None
        if found is not None:
            name, given = found.name, {**found.overrides, **given}
            say(found.said)
        given |= _data(name, data, given, plugins, is_here)
    if lr is not None:
        given["optimizer.lr"] = peaking(load_recipe(name, given).spec.optimizer.get("lr"), lr)
    return {"recipe": name, "overrides": given, "plugins": plugins, "out": out}


def _resumed(resume: str, folder: Path, out: str | None, given: dict[str, Any], epochs: int | None) -> str:
    """The place of the run that continues, or of the longer one that starts with its weights."""
    from ..storage import checkpoint, run_folder

    if epochs is None and out not in (None, resume) and Path(str(out)).resolve() != folder.resolve():
        raise SslgraphError(f"--resume {resume} continues in its own folder; leave --out {out} out")
    if run_folder.restore_text(folder) is None:
        raise SslgraphError(
            f"--resume {resume}: there is no run in that folder (no resolved.yaml, no checkpoint); give the folder "
            "of a run"
        )
    if epochs is None:
        return resume
    there = checkpoint.complete(folder / "checkpoints")
    if not there:
        raise SslgraphError(f"--resume {resume}: there is no complete checkpoint yet to begin with")
    given["begin_with"] = str(there[-1].resolve())
    return out or f"{folder}-epochs{epochs}"


def _data(name: str, path: str, given: Mapping[str, Any], plugins: tuple[str, ...], is_here: bool) -> dict[str, Any]:
    """`--data PATH`: the source that reads that path, with the recipe's limits; a user's own source reads its own."""
    loaded = load_recipe(name, dict(given))
    recipe, allowed = loaded.spec, check.allowed_in(loaded, plugins)
    absolute, use = located(path), recipe.data.use
    if (use not in _readers() or not is_here) and "path" in registry.signature(use, allowed).settings:
        return {"data.path": absolute}
    if not is_here:
        return {}
    found = source_for(absolute)
    known = registry.signature(found).settings
    # A source that draws its images means other things by its settings, but for how many there are.
    kept = {
        setting: value
        for setting, value in recipe.data.settings.items()
        if setting in known and (use in _readers() or setting in ("limit", "memory") or f"data.{setting}" in given)
    }
    return {"data": {"use": found, **kept, "path": absolute}}


def peaking(rate: Any, highest: float) -> Any:
    """A rate as a recipe writes it, scaled so that this is its highest value."""
    if not isinstance(rate, Mapping):
        return highest
    most = max(map(abs, schedule(rate).every_value)) or 1.0

    def scaled(part: Any) -> Any:
        if not isinstance(part, Mapping):
            return float(f"{part * highest / most:.6g}")
        kinds = {kind: [*map(scaled, part[kind])] for kind in MOVING if kind in part}
        inner = {key: scaled(part[key]) for key in ("from", "then") if key in part}
        return {**part, **kinds, **inner}

    return scaled(rate)


def moved(data: Data, path: str | None) -> Data:
    """Other images than the recipe's, read as the recipe reads its own, and all of them; without a path its own."""
    if path is None:
        return data
    absolute = located(path)
    found = source_for(absolute)
    known = set(registry.signature(found).settings) if data.use in _readers() else set[str]()
    if found != data.use and found == _readers()[-1]:
        known -= {"label"}  # a column of rows or shards, which now are files in folders
    kept = {name: data.settings[name] for name in READING if name in data.settings and name in known}
    return Data(use=found, settings={**kept, "path": absolute})


def located(path: str) -> str:
    """The path as it means the same from everywhere; an address does already, and so does a name of a hub's.

    Links stay: the files of the hub's cache have their names in one folder and their content in another.
    """
    if not path.strip():  # a variable of the shell that is not set: the folder of the moment is not meant
        raise SslgraphError("the path of the images is empty; name a folder, a file or an address")
    if path.lower().startswith(FILE):
        path = unquote(urlsplit(path).path)
    given = Path(path).expanduser()
    is_name = (
        is_address(path)
        or path.startswith(LIBRARY)
        or (path.count("/") == 1 and not given.is_absolute() and not given.parent.exists())
    )
    return path if is_name else os.path.normpath(given.absolute())


def source_for(path: str) -> str:
    """The source that reads a path or an address: the first that knows its form."""
    *readers, last = _readers()
    return next((name for name in readers if registry.load_class(name).recognizes(path)), last)


def stand_in() -> str:
    """The source that makes its images itself, for runs that name no data."""
    return registry.with_role("stand-in", "sources")[0]


def _readers() -> tuple[str, ...]:
    """What `source_for` chooses among; the last one reads what no other recognizes."""
    return (*registry.with_role("reader", "sources"), *registry.with_role("last reader", "sources"))
