"""The door: `sslgraph ...` and `python -m sslgraph ...`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path


def main() -> None:
    """Runs the command line, which lives with the pipelines."""
    try:
        importlib.import_module("sslgraph.pipelines.commands.app").main()
    except KeyboardInterrupt:  # while modules are imported
        raise SystemExit(130) from None


if __name__ == "__main__":
    # `python -m` puts the current folder first: a numpy.py that lies there must not be imported in place of numpy.
    sys.path[:] = [place for place in sys.path if place not in ("", str(Path.cwd()))]
    main()
