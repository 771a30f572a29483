"""Paths that stand for several files: braces in addresses and folders, and the wildcards of a shell in folders."""

from __future__ import annotations

import glob
import os
import re
from pathlib import Path

from sslgraph.errors import SslgraphError

MOST_ADDRESSES = 1_000_000


def expanded(address: str) -> list[str]:
    """The addresses that braces stand for: {a,b} for each, {000..146} for each number, in as many digits."""
    ready: dict[str, None] = {}
    waiting = [address]
    while waiting:
        one = waiting.pop()
        found = re.search(r"\{([^{}]*)\}", one)
        if found is None:
            ready[one] = None
            continue
        span = re.fullmatch(r"(\d{1,9})\.\.(\d{1,9})", found[1])
        inside = range(int(span[1]), int(span[2]) + 1) if span else found[1].split(",")
        if len(inside) + len(waiting) + len(ready) > MOST_ADDRESSES:
            raise SslgraphError(f"{address} stands for more than {MOST_ADDRESSES:,} files; name the folder, or fewer")
        width = len(span[1]) if span else 0
        waiting += [f"{one[: found.start()]}{each:0>{width}}{one[found.end() :]}" for each in reversed(inside)]
    return list(ready)


def matching(path: str) -> tuple[Path, list[Path]] | None:
    """The files and folders of this machine that a path with wildcards stands for, and the folder above them all.

    None if it has no wildcards.
    """
    if not re.search(r"[*?\[{]", path):
        return None
    found = sorted({Path(file) for one in expanded(path) for file in glob.glob(one, recursive=True)})  # noqa: PTH207  one pattern, wherever its wildcards begin
    if not found:
        raise SslgraphError(f"no file or folder matches {path}; check the path")
    return Path(os.path.commonpath([file.parent for file in found])), found
