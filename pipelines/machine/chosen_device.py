"""The device that a user names instead of the one that a run would choose."""

from __future__ import annotations

import os
import re

from sslgraph.errors import SslgraphError

SEEN = "CUDA_VISIBLE_DEVICES"


def use(name: str, processes: int = 1) -> None:
    """Leaves torch this device alone; to be called before torch has looked at the GPUs. SslgraphError if it is none."""
    import torch

    found = re.fullmatch(r"cpu|cuda(?::(\d+))?", name)
    if found is None:
        raise SslgraphError(f"--device {name} is no device; write cpu, cuda or cuda:NUMBER")
    if processes > 1:
        raise SslgraphError(f"--device {name} is for one process; Ray gives each of --workers {processes} its own")
    if name == "cpu":
        os.environ[SEEN] = ""
        return
    there = torch.cuda.device_count()
    if int(found[1] or 0) >= there:
        raise SslgraphError(f"--device {name}: torch sees {there or 'no'} GPU{'s' if there != 1 else ''} here")
    if found[1]:
        known = [word for word in os.environ.get(SEEN, "").split(",") if word]
        os.environ[SEEN] = known[int(found[1])] if known else found[1]
