"""What the headers of a shard say, kept on this machine, so that a resume and many ranks read them once."""

from __future__ import annotations

import fcntl
import hashlib
import os
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sslgraph import home
from sslgraph.files.whole_file import whole_file

from .store import File

Arrays = dict[str, NDArray[Any]]


def remembered(form: str, place: str, file: File, read: Callable[[], Arrays]) -> Arrays:
    """What `read` finds in a file, or what it found before if the file is still the same.

    Of several ranks of a machine one reads and the others wait for it. `form` names what is read, and changes with it.
    A cache that can't be written costs time, and no more.
    """
    key = hashlib.sha256(f"{form} {place}".encode()).hexdigest()
    try:
        kept = home.cache() / "index" / key[:2] / f"{key[2:34]}.npz"
        if (found := _kept(kept, file)) is not None:
            return found
        kept.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(kept.parent / ".lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    except (OSError, RuntimeError):  # RuntimeError: there is no home
        return read()
    with os.fdopen(lock):
        with suppress(OSError):  # storage without locks: each rank reads for itself
            fcntl.flock(lock, fcntl.LOCK_EX)
        if (found := _kept(kept, file)) is not None:
            return found
        found = read()
        with suppress(OSError), whole_file(kept) as out:
            np.savez(out, allow_pickle=False, stamp=np.array(file.stamp), **found)
    return found


def _kept(kept: Path, file: File) -> Arrays | None:
    try:
        with kept.open("rb") as file_kept, np.load(file_kept, allow_pickle=False) as there:
            arrays = {name: there[name] for name in there.files}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError, KeyError):
        return None
    except SystemError:  # numpy parses a header by ast: Python before 3.11.8 (gh-106905) fails when two threads do
        return None
    return arrays if str(arrays.pop("stamp", "")) == file.stamp else None
