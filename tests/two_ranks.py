"""A module's CHECKS in two small processes that train together, and what each of them found."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist

Both = Callable[[str], list[Any]]


@pytest.fixture(scope="module")
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Both:
    """What rank 0 and rank 1 found in a check, by its name."""
    folder: Path = tmp_path_factory.mktemp("ranks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", os.environ.get("OMP_NUM_THREADS", "1"))
        torch.multiprocessing.spawn(work, (request.module.__name__, str(folder)), nprocs=2)
    found = [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in (0, 1)]
    return lambda name: [each[name] for each in found]


def work(rank: int, module: str, folder: str) -> None:
    """Does all checks of a module as one of two ranks.

    Ends without the interpreter's teardown: once in a hundred starts torch's threads were taken down while they ran
    ("terminate called without an active exception"), after everything was done.
    """
    checks: dict[str, Callable[[], Any]] = importlib.import_module(module).CHECKS
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    torch.save({name: check() for name, check in checks.items()}, f"{folder}/{rank}.pt")
    dist.barrier()
    dist.destroy_process_group()
    os._exit(0)
