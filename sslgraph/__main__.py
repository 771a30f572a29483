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
    # `python -m` puts the current folder first: a numpy.py in it must not be imported in place of numpy.
    # Where PYTHONPATH names the folder, too, it stays: processes that are started take over this path.
    if not sys.flags.safe_path and sys.path[0] in ("", str(Path.cwd())):
        del sys.path[0]
    main()
