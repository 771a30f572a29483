"""`do: export`: the trained encoder as other libraries read it; the artefact is the folder export."""

from __future__ import annotations

from typing import Any

from ...export.exports import FORMS, export
from .work import Work


def stage(work: Work) -> dict[str, Any]:
    """Exports the encoder."""
    to = str(work.stage.settings.get("to", next(iter(FORMS))))
    return export(work.inputs["of"], work.folder / "export", to=to, plugins=work.plugins)
