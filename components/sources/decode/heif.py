"""HEIC and HEIF files, as telephones write photographs: read where the extra `heic` is installed."""

from __future__ import annotations

import importlib.util
from functools import cache

ENDINGS = (".heic", ".heif", ".hif")
LACKS = "read with the extra heic alone (pip install 'sslgraph[heic]')"


@cache
def is_there() -> bool:
    """Whether the extra is installed."""
    return importlib.util.find_spec("pillow_heif") is not None


@cache
def _registered() -> None:
    import pillow_heif

    pillow_heif.register_heif_opener()


def prepare(data: bytes) -> None:
    """Lets Pillow read such a file, if these bytes begin as one does; it comes upright."""
    if data[4:8] == b"ftyp" and is_there():
        _registered()
