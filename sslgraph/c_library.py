"""Builds C code once with the machine's compiler and keeps it in the user's cache.

Where there is no compiler, or SSLGRAPH_NATIVE=0 is set, there is no library, and who asked for one does without.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sslgraph import home

# No fused multiply-adds: every operation is rounded alone, as tensor operations are.
_FLAGS = ("-O3", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-shared", "-fPIC")


def built(source: Path, functions: Mapping[str, Sequence[Any]]) -> ctypes.CDLL | None:
    """The library of a C file, whose functions take arguments of these kinds and give nothing; None without one."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None or os.environ.get("SSLGRAPH_NATIVE") == "0":
        return None
    try:
        found = _loaded(source, compiler)
    except (OSError, subprocess.SubprocessError):  # a compiler that can't
        return None
    for name, kinds in functions.items():
        getattr(found, name).argtypes, getattr(found, name).restype = kinds, None
    return found


def _loaded(source: Path, compiler: str) -> ctypes.CDLL:
    """The library from the user's own cache; from nowhere else, because loading it runs it."""
    try:
        return ctypes.CDLL(str(_made(source, compiler, home.own_folder(home.cache() / "native"))))
    except (OSError, RuntimeError):  # no home, or a cache that can't be written, or that others can write to
        with tempfile.TemporaryDirectory() as folder:
            return ctypes.CDLL(str(_made(source, compiler, Path(folder))))


def _made(source: Path, compiler: str, kept: Path) -> Path:
    """The library, which is built if this text was never built whole by this compiler for this kind of machine.

    Its name ends with the hash of its content: a file that was cut short would end the process when it is used.
    """
    said = "\n".join((source.read_text(encoding="utf-8"), *_FLAGS, compiler, platform.platform(), platform.machine()))
    begin = f"{source.stem}-{_hash(said.encode())}"
    for path in sorted(kept.glob(f"{begin}-*.so")):
        if home.is_own(path) and path.name == f"{begin}-{_hash(path.read_bytes())}.so":
            return path
    with tempfile.TemporaryDirectory(dir=kept) as folder:
        made = Path(folder) / f"{source.stem}.so"
        command = [compiler, *_FLAGS, str(source), "-o", str(made), "-lm"]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        return made.replace(kept / f"{begin}-{_hash(made.read_bytes())}.so")


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
