"""Where the catalogue and the specs lie, beside this package in a checkout, inside it in a wheel; and the cache."""

import os
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
INSTALLED = (HERE / "components").is_dir()
PREFIX = "sslgraph." if INSTALLED else ""
ROOT = HERE if INSTALLED else HERE.parent
COMPONENTS = ROOT / "components"
SPECS = ROOT / "specs"


def cache() -> Path:
    """Where what can be made again is kept: `$SSLGRAPH_CACHE`, or sslgraph in the user's cache folder.

    RuntimeError if there is no home.
    """
    named, caches = os.environ.get("SSLGRAPH_CACHE"), os.environ.get("XDG_CACHE_HOME")
    return Path(named).expanduser() if named else Path(caches or "~/.cache").expanduser() / "sslgraph"


def source_of(module: str) -> Path | None:
    """The file of a module named in a spec (`my_package.my_module`), or None; neither it nor its package is run."""
    first, *rest = module.split(".")
    try:
        found = find_spec(first)
        for depth, _ in enumerate(rest, start=2):
            # find_spec would import the package around a module to look into it; the path finder does not.
            within = found.submodule_search_locations if found else None
            found = PathFinder.find_spec(".".join(module.split(".")[:depth]), within) if within else None
    except (ImportError, ValueError):
        return None
    return Path(found.origin) if found and found.has_location and found.origin else None
