"""`sslgraph export`: writes the encoder for other libraries."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from ..options import Plugins, Run, out


def export(
    run: Run,
    to: Annotated[
        str, Option("--to", help="Form: safetensors, timm, torchvision, hf, onnx or torch.export")
    ] = "safetensors",
    folder: Annotated[Path | None, Option("-o", "--out", help="New folder; default RUN/export-TO")] = None,
    plugin: Plugins = [],
) -> None:
    """Export the trained encoder for another library.

    The library loads it back, and its features are compared, before the export counts as written. A model card and
    what the images need are written beside it.
    """
    from sslgraph.files.addresses import is_address
    from sslgraph.files.write_whole import told

    from ...export.exports import export as write
    from ...storage.fetching import visit

    place = folder or (Path() if is_address(run) else Path(run)) / f"export-{to}"
    with told(place):
        found = write(visit(run), place, to=to, plugins=tuple(plugin))
    far = found.get("difference")
    near = "" if far is None else f"; features differ by at most {far:.1e}" if far else "; features are equal"
    out.print(f"exported: {place}{near}")
