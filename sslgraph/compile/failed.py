"""Names the part of a compiled method in which a step failed."""

from __future__ import annotations

import traceback

import torch

from sslgraph.compile.compile import CompiledMethod
from sslgraph.errors import SslgraphError, line_of

AT_CHECK = "`check` runs parts on shapes alone, so numbers that a part can't take show here first"


def failed_in(method: CompiledMethod, wrong: Exception) -> str:
    """One sentence with the part in whose code an exception arose; "" for one that tells enough or arose elsewhere.

    Memory that runs out is no part's mistake.
    """
    if isinstance(wrong, SslgraphError | torch.OutOfMemoryError):
        return ""
    names = {id(part): name for name, part in method.parts.items()}
    frames = (frame for frame, _ in traceback.walk_tb(wrong.__traceback__))
    found = [names[key] for frame in frames if (key := id(frame.f_locals.get("self"))) in names]
    if not found:
        return ""
    box = method.graph.boxes[found[0]]
    line, place = line_of(wrong, box.signature.file), method.graph.place(box.path)
    at = f", line {line} of {box.signature.file}" if line else ""
    where = f"{place}: " if place is not None else ""
    said = str(wrong).strip().split("\n")[0] or type(wrong).__name__
    return f"{where}'{box.name}' ({box.use}{at}): {said}\n  {AT_CHECK}; look at what it is given"
