"""`do: evaluate`: nearest neighbours and a linear probe of an earlier training; the artefact is evaluation.json."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from sslgraph import whole_file

from ..evaluate.evaluate import FILE, evaluate
from .work import StageKind, Work


def measure(work: Work) -> dict[str, Any]:
    """Measures the run as `sslgraph evaluate` does, on its own images or those of `data:`."""
    found = evaluate(work.inputs["of"], data=work.stage.settings.get("data"), plugins=work.plugins)
    whole_file.put(work.folder / FILE, f"{json.dumps(asdict(found), indent=2)}\n".encode())
    shares = {"knn": found.trained.knn, "linear probe": found.trained.probe}
    return {name: share.accuracy for name, share in shares.items() if share is not None}


EVALUATE = StageKind(measure, {"data": "str"})
