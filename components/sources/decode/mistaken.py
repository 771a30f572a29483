"""Files that are not what their names say, told by how they begin: what downloads that went wrong leave behind."""

from __future__ import annotations

LFS = b"version https://git-lfs"
PAGES = (b"<!doctype html", b"<html")


def said_of(data: bytes) -> str:
    """What a file is that begins so, and what to do; "" if there is no telling."""
    if not data:
        return "an empty file"
    if data.startswith(LFS):
        return "a pointer of Git LFS in place of the file: run git lfs pull"
    return "a web page in place of the file: fetch it again" if data.lstrip()[:16].lower().startswith(PAGES) else ""
