"""A module's CHECKS in two small processes that train together, and what each of them found."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import torch

from sslgraph import collectives

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
    """Does all checks of a module as one of two ranks."""
    checks: dict[str, Callable[[], Any]] = importlib.import_module(module).CHECKS
    torch.set_num_threads(1)
    with together(rank, folder):
        found = {name: check() for name, check in checks.items()}
        collectives.barrier()
    torch.save({**found, "threads left": gloo_threads()}, f"{folder}/{rank}.pt")


def together(rank: int, folder: str) -> AbstractContextManager[None]:
    """Connects one of two processes with the other, which meets it in the folder."""
    meeting = {"init_method": f"file://{folder}/meet", "rank": rank, "world_size": 2}
    return collectives.together("gloo", timedelta(minutes=5), **meeting)


def gloo_threads() -> list[str]:
    """The threads of a connection that are there: none may outlive the interpreter."""
    names = [path.read_text() for path in Path("/proc/self/task").glob("*/comm")]
    return [name.strip() for name in names if "gloo" in name]
