"""`do: masks`: what moves in videos, as images with label maps; the artefact is the folder images.

Without videos the films are those that the program draws.
"""

from __future__ import annotations

import shutil
from typing import Any

from ...motion.writing import write
from .work import IMAGES, Work


def stage(work: Work) -> dict[str, Any]:
    """Writes images and masks."""
    own = {name: value for name, value in work.stage.settings.items() if name != "data"}
    # of an attempt that was killed before it was marked as done
    shutil.rmtree(work.folder / IMAGES, ignore_errors=True)
    found = write(work.data, work.folder / IMAGES, **own)
    frames = found.kept + sum(found.rejected.values())
    return {"frames": frames, "kept": found.kept, "rejected": found.rejected, "with a mask": found.kept / frames}
