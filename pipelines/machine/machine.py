"""The device of a run, and its share of the cores."""

from __future__ import annotations

import ctypes
import os
import re
import sys
from pathlib import Path

import numpy as np
import torch

from sslgraph.errors import SslgraphError

SEEN = "CUDA_VISIBLE_DEVICES"
# Names of glibc's malloc.h.
_M_ARENA_MAX, _M_MMAP_MAX, _M_TRIM_THRESHOLD = -8, -4, -1


def device(local_rank: int = 0) -> torch.device:
    """This process's GPU if there is one, else the processor."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    torch.cuda.set_device(local_rank % torch.cuda.device_count())
    return torch.device("cuda", torch.cuda.current_device())


def choose(name: str, processes: int = 1) -> None:
    """Leaves torch this device alone; to be called before torch has looked at the GPUs. SslgraphError if it is none."""
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


def use(*, processes: int = 1, threads: int | None = None) -> int:
    """Sets what every run sets: denormals to zero, whole float32, and threads.

    They are as many as a recipe says, else as `OMP_NUM_THREADS` says, else this process's share of the cores.
    """
    _keep_freed_memory()
    for kind in (np.float32, np.float64):
        np.finfo(kind)  # looks once for the smallest number, and warns where it is zero by then (numpy before 2.4)
    # A 23-tap blur has denormal weights; on most processors they are a hundred times slower than zeros.
    torch.set_flush_denormal(True)
    torch.backends.cudnn.allow_tf32 = False  # by default convolutions of float32 keep ten bits of it on a GPU
    if threads is not None:
        torch.set_num_threads(threads)
    elif "OMP_NUM_THREADS" not in os.environ:
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
