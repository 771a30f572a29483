"""Which part of a compiled method an exception of a step comes from."""

from __future__ import annotations

import traceback

import torch

from sslgraph.compile.compile import CompiledMethod
from sslgraph.errors import SslgraphError

AT_CHECK = "`check` runs parts on shapes alone, so numbers that a part can't take show here first"


def failed_in(method: CompiledMethod, wrong: Exception) -> str:
    """One sentence with the part in whose code an exception arose; "" for one that tells enough or arose elsewhere.

    Memory that runs out is no part's mistake.
    """
    if isinstance(wrong, SslgraphError | torch.OutOfMemoryError):
        return ""
    names = {id(part): name for name, part in method.parts.items()}
    steps = list(traceback.walk_tb(wrong.__traceback__))
    found = [names[key] for frame, _ in steps if (key := id(frame.f_locals.get("self"))) in names]
    if not found:
        return ""
    box = method.graph.boxes[found[0]]
    lines = [line for frame, line in steps if frame.f_code.co_filename == box.signature.file]
    place, at = method.graph.place(box.path), f", line {lines[-1]} of {box.signature.file}" if lines else ""
    where = f"{place}: " if place is not None else ""
    said = str(wrong).strip().split("\n")[0] or type(wrong).__name__
    return f"{where}'{box.name}' ({box.use}{at}): {said}\n  {AT_CHECK}; look at what it is given"
