"""What the machine under a run is good for: its device, its threads, and the number format it multiplies fast."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from typing import Literal

import numpy as np
import torch

# Names of glibc's malloc.h.
_M_ARENA_MAX, _M_MMAP_MAX, _M_TRIM_THRESHOLD = -8, -4, -1


def device(local_rank: int = 0) -> torch.device:
    """This process's GPU if there is one, else the processor."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    torch.cuda.set_device(local_rank % torch.cuda.device_count())
    return torch.device("cuda", torch.cuda.current_device())


def precision(wish: Literal["auto", "bfloat16", "float32", "float64"], on: torch.device) -> torch.dtype:
    """What a run multiplies in: with `auto`, bfloat16 where it is the faster one; float64 is for comparing runs.

    On processors that is where there are bfloat16 tiles (AMX: 3.1 times faster than float32). Instructions for vectors
    alone do not pay: a training step of ResNet-18 on 64 images of 32 px took 2.6 s in bfloat16 and 1.9 s in float32.
    """
    if wish != "auto":
        return {"bfloat16": torch.bfloat16, "float32": torch.float32, "float64": torch.float64}[wish]
    if on.type == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        fast = bool(torch.cpu.get_capabilities().get("amx_bf16", False))
    return torch.bfloat16 if fast else torch.float32


def use(*, processes: int = 1, on: torch.device | None = None) -> int:
    """Sets what every run sets: threads for this process's share of the cores, denormals to zero, attention as sums."""
    _keep_freed_memory()
    for kind in (np.float32, np.float64):
        np.finfo(kind)  # looks once for the smallest number, and warns where it is zero by then (numpy before 2.4)
    # A 23-tap blur has denormal weights; on most processors they are a hundred times slower than zeros.
    torch.set_flush_denormal(True)
    if on is None or on.type == "cpu":
        # timm reads this when it is imported. On processors the fused attention is slow in bfloat16: forward and
        # backward of 256 images, 3 heads of 32 and 17 tokens take 57 ms, two products and a softmax 10 ms.
        os.environ.setdefault("TIMM_FUSED_ATTN", "0")
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, cores() // processes))
    return torch.get_num_threads()


def _keep_freed_memory() -> None:
    """Tells glibc to keep what is freed for the next tensor; other C libraries are left as they are.

    By default a large block goes back to the system at once, and the next one of its size is filled with zeros anew,
    page by page: a fifth of the time of making views, and a part of every training step.
    """
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if library is not None and hasattr(library, "gnu_get_libc_version"):
        library.mallopt(_M_ARENA_MAX, 1)
        library.mallopt(_M_MMAP_MAX, 0)
        library.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)


def cores() -> int:
    """The cores that this process was granted: its affinity, cut by the quota of its control group."""
    granted = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = Path("/sys/fs/cgroup/cpu.max")
    if quota.is_file():
        allowed, period = quota.read_text().split()
        if allowed != "max":
            granted = min(granted, max(1, int(allowed) // int(period)))
    return granted
