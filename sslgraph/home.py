"""Where the catalogue and the specs lie, beside this package in a checkout, inside it in a wheel; and the cache."""

import os
from pathlib import Path

HERE = Path(__file__).resolve().parent
INSTALLED = (HERE / "components").is_dir()
ROOT = HERE if INSTALLED else HERE.parent
COMPONENTS = ROOT / "components"
SPECS = ROOT / "specs"


def cache() -> Path:
    """Where what can be made again is kept: `$SSLGRAPH_CACHE`, or sslgraph in the user's cache folder.

    RuntimeError if there is no home.
    """
    named, caches = os.environ.get("SSLGRAPH_CACHE"), os.environ.get("XDG_CACHE_HOME")
    return Path(named).expanduser() if named else Path(caches or "~/.cache").expanduser() / "sslgraph"
