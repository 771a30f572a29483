"""`do: evaluate`: an earlier training measured by named protocols; the artefact is evaluation.json."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sslgraph.files import whole_file

from ...evaluate.evaluate import evaluate
from ...evaluate.evaluation import FILE
from .work import Work


def measure(work: Work) -> dict[str, Any]:
    """Measures the run as `sslgraph evaluate` does, on its own images or those of `data:`, by `protocols:` if given."""
    names = work.stage.settings.get("protocols", ())
    found = evaluate(work.inputs["of"], names=names, data=work.data, plugins=work.plugins)
    whole_file.put_json(work.folder / FILE, asdict(found))
    said = {name: values["accuracy"] for name, values in found.trained.items() if "accuracy" in values}
    if (places := found.segmentation) is not None:
        sides = {"linear mIoU": places.trained, "linear mIoU, random encoder": places.random}
        said |= {name: told.linear.miou for name, told in sides.items()}
    return said
