"""The door: `sslgraph ...` and `python -m sslgraph ...`."""

from __future__ import annotations

import importlib

from sslgraph import home


def main() -> None:
    """Runs the command line, which lives with the pipelines."""
    importlib.import_module(f"{home.PREFIX}pipelines.cli").main()


if __name__ == "__main__":
    main()
