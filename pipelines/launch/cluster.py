"""Finds a Ray cluster: this process's own, one at an address, or a private one; and a worker's share of it.

A cluster that runs already is its owner's: nothing about its sockets, tokens or nodes that are about to vanish is
changed there.
"""

from __future__ import annotations

import os
import site
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from typing import Any

from sslgraph import home
from sslgraph.errors import SslgraphError

from ..machine import machine
from .ray_compat import (
    ADDRESS,
    IN_A_JOB,
    PORT,
    PRIVATE,
    QUIET,
    ended_slow_start,
    read_variables_again,
    refuse_a_missing_token,
)

OBJECT_STORE = 100 * 2**20  # bytes; images do not travel through Ray
OWN_WORDS = ("auto", "local")  # of Ray, for addresses that it finds by itself
KNOCKS, PAUSE = 3, 2.0  # how often an address is tried, and seconds between: a head that starts needs a few


@dataclass(frozen=True)
class Share:
    """What one worker gets."""

    cpus: int
    gpus: int


@contextmanager
def cluster(address: str | None) -> Iterator[Any]:
    """Ray, connected: as this process is already, to the cluster at the address, or to one that ends with the block."""
    if "ray" in sys.modules and sys.modules["ray"].is_initialized():
        yield sys.modules["ray"]
        return
    refuse_a_missing_token(is_private=address is None)
    if address is not None:
        refuse_silent(address)
    private = {} if address else {**_absent(PRIVATE), **_pinned()}
    os.environ.update({**_absent(QUIET), **private})
    import ray

    read_variables_again()
    own = {} if address else {"object_store_memory": OBJECT_STORE, "num_cpus": machine.cores()}
    # What a job's workers import came with the job; what else runs finds this code where this process does.
    environment = {} if IN_A_JOB in os.environ else {"env_vars": {"PYTHONPATH": _import_path()}}
    # Ray puts the current folder first on its workers' path. In an empty one, no numpy.py replaces numpy.
    empty = tempfile.TemporaryDirectory()
    try:
        with chdir(empty.name):
            _start(ray, address=address or "local", logging_level="warning", runtime_env=environment, **own)
        yield ray
    except ConnectionError as silent:
        raise SslgraphError(
            f"no Ray cluster answers at {address}; see `ray status --address {address}`; if it asks for a token, "
            "export RAY_AUTH_MODE=token, with the token in ~/.ray/auth_token"
        ) from silent
    finally:
        ray.shutdown()
        empty.cleanup()
        for name in private:
            os.environ.pop(name, None)
        read_variables_again()


def refuse_silent(address: str) -> None:
    """Ray waits for minutes at an address where nothing listens; SslgraphError says so within seconds."""
    if address in OWN_WORDS or "://" in address:
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise SslgraphError(f"--address {address} is no address of a Ray cluster: write HOST:PORT, such as HOST:6379")
    for is_last in (False,) * (KNOCKS - 1) + (True,):
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=5).close()
            return
        except OSError as silent:
            if is_last:
                raise SslgraphError(
                    f"no Ray cluster answers at {address} ({silent.strerror or silent}); see `ray status --address "
                    f"{address}`, and that this machine reaches that port"
                ) from silent
            time.sleep(PAUSE)


def _start(ray: Any, **settings: Any) -> None:
    """Connects Ray. A node of its own has 30 s to start, whatever else the machine does: it is tried three times."""
    for is_last in (False, False, True):
        try:
            ray.init(**settings)
            return
        except Exception as problem:
            if not ended_slow_start(problem):
                raise
            ray.shutdown()
            if is_last:
                raise SslgraphError(
                    "Ray did not start on this machine within 30 s, three times: it is too busy or has too little "
                    "memory; try again later, or train in one process with --workers 1"
                ) from problem


def nodes(ray: Any) -> list[tuple[int, int]]:
    """The CPUs and GPUs of each node that is alive."""
    alive = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    return [(int(there.get("CPU", 0)), int(there.get("GPU", 0))) for there in alive]


def share(nodes: Sequence[tuple[int, int]], workers: int) -> Share:
    """A worker's part of a cluster whose nodes have these (CPUs, GPUs): a GPU with its CPUs, or as many CPUs as go.

    Ray would wait for ever for what is not there, so that is refused.
    """
    gpus = sum(there for _, there in nodes)
    cpus = sum(there for there, _ in nodes)
    what, there = ("GPUs", gpus) if gpus else ("processor cores", cpus)
    if workers > there:
        need = f"{workers} workers need {workers} {what}, and there are {there}"
        raise SslgraphError(f"{need}; ask for --workers {there}" if there else f"{need}; start a node that has some")
    if gpus:
        return Share(max(1, min(cpu // gpu for cpu, gpu in nodes if gpu)), 1)
    fitting = (each for each in range(cpus // workers, 0, -1) if sum(cpu // each for cpu, _ in nodes) >= workers)
    return Share(next(fitting), 0)


def _absent(variables: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in variables.items() if name not in os.environ}


def _import_path() -> str:
    """What workers, which start in a folder of Ray's, need on their path to import sslgraph as this process does.

    Nothing if it is installed. The current folder, where plugins lie, is not in it: it comes last, in `launch`.
    """
    here = str(home.HERE.parent)
    is_found_by_path = here in sys.path and here not in site.getsitepackages()
    return os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), here if is_found_by_path else ""]))


def _pinned() -> dict[str, str]:
    """The address of the cluster to come: without it, a second Ray on this machine confuses the first one's cleaner."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return {PORT: str(port), ADDRESS: f"127.0.0.1:{port}"}
