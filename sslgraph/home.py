"""Where the catalogue and the specs are, in a checkout and in a wheel; and the user's own folders."""

import os
import stat
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
    return _of_user("SSLGRAPH_CACHE", "XDG_CACHE_HOME", "~/.cache")


def config() -> Path:
    """Where what the user has decided is kept: `$SSLGRAPH_CONFIG`, or sslgraph in the user's folder of settings.

    RuntimeError if there is no home.
    """
    return _of_user("SSLGRAPH_CONFIG", "XDG_CONFIG_HOME", "~/.config")


def _of_user(named: str, around: str, usual: str) -> Path:
    own = os.environ.get(named) or Path(os.environ.get(around) or usual, "sslgraph")
    return Path(own).expanduser()


def own_folder(folder: Path) -> Path:
    """The same folder, made if it is not there. OSError if someone else could put a file into it, or replace it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    around = folder.parent.stat()
    is_private = is_own(folder) and not folder.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    if not is_private or (_is_open(around) and not around.st_mode & stat.S_ISVTX):
        raise PermissionError(f"{folder} belongs to another user, or others can write to it")
    return folder


def is_own(path: Path) -> bool:
    """Whether a file or folder is this user's and nobody else can change it. OSError if it is not there."""
    seen = path.stat()
    return not hasattr(os, "getuid") or (seen.st_uid == os.getuid() and not _is_open(seen))


def _is_open(seen: os.stat_result) -> bool:
    """Whether others can write to it. A group with the user's number is the user alone, as most systems make them."""
    return bool(seen.st_mode & stat.S_IWOTH or (seen.st_mode & stat.S_IWGRP and seen.st_gid != seen.st_uid))
