"""Starts a run: in this process, under torchrun, or on the workers of Ray Train.

The loop, the run folder and the checkpoints are ours on all three, and Ray is not told of them; it starts processes and
starts them again when one dies.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch

from sslgraph import collectives
from sslgraph.errors import SslgraphError, StorageError

from ..machine import machine
from ..storage import fetching, interrupt, run_folder
from ..storage.interrupt import Interrupt
from ..train.loop import train
from ..train.start.prepare import settled
from . import cluster, interface, ray_compat
from .cluster import Share

Settle = Callable[[Mapping[str, Any]], dict[str, Any]]
Train = Callable[..., dict[str, Any]]

RETRIES = 2  # after workers died; a run that got on meanwhile has them all again
TIMEOUT_S = 300


def launch(
    cfg: Mapping[str, Any],
    *,
    workers: int = 1,
    address: str | None = None,
    settle: Settle = settled,
    body: Train = train,
) -> dict[str, Any]:
    """Trains what `cfg` says on several workers and returns the summary; `address` is that of a running Ray cluster.

    What can be found wrong without images and devices is found by `settle`, before any worker starts; `body` is what
    each worker runs.
    """
    if workers < 1:
        raise SslgraphError(f"--workers {workers} would train nothing; ask for 1 or more")
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        return _under_torchrun(cfg, settle, body)
    is_job = ray_compat.IN_A_JOB in os.environ
    address = _checked(address or (os.environ.get("RAY_ADDRESS") if workers > 1 or is_job else None))
    cfg = _settled(cfg, settle)
    with run_folder.not_left_empty(Path(cfg["out"])):
        return body(cfg) if workers == 1 and address is None else _on_ray(cfg, workers, address, body)


def _checked(address: str | None) -> str | None:
    if address and address.startswith(("http://", "https://")):
        raise SslgraphError(
            f"{address} is a job server, and this command joins a cluster (HOST:PORT); "
            "sslgraph submit, with the same words, sends the run there"
        )
    return address


def _settled(cfg: Mapping[str, Any], settle: Settle) -> dict[str, Any]:
    """The request as `settle` leaves it, with the mark of a request to stop that an earlier run did not live to meet.

    It is removed once the folder is held: another run may hold it, and the request be meant for that one.
    """
    settled = settle(cfg)
    return {**settled, "stale_stop": interrupt.mark(Path(settled["out"]))}


def _under_torchrun(cfg: Mapping[str, Any], settle: Settle, body: Train) -> dict[str, Any]:
    local = int(os.environ["LOCAL_RANK"])
    with ExitStack() as connection:
        _connect(connection, "nccl" if machine.device(local).type == "cuda" else "gloo")
        settled = _agreed(cfg, settle, machine.device(local))
        processes = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
        with run_folder.not_left_empty(Path(settled["out"])):
            return body({**settled, "local_rank": local, "processes": processes})


def _connect(connection: ExitStack, backend: str) -> None:
    """Connects the ranks, on several hosts over the interfaces that lead to each other."""
    head, rank = os.environ.get("MASTER_ADDR", ""), int(os.environ.get("RANK", "0"))
    if os.environ.get("LOCAL_WORLD_SIZE") != os.environ["WORLD_SIZE"]:
        interface.choose(head)
    try:
        connection.enter_context(collectives.together(backend, timedelta(seconds=TIMEOUT_S)))
    except (RuntimeError, OSError) as problem:
        raise SslgraphError(interface.in_words(problem, rank=rank, head=head)) from problem


def _agreed(cfg: Mapping[str, Any], settle: Settle, device: torch.device) -> dict[str, Any]:
    """What the first rank settles, on all of them: a new folder is made once."""
    return collectives.of_the_first(run_folder.by_the_first(device, lambda: _settled(cfg, settle)) or {})


def _on_ray(cfg: Mapping[str, Any], workers: int, address: str | None, body: Train) -> dict[str, Any]:
    if address is None:
        cluster.share([(machine.cores(), torch.cuda.device_count())], workers)
    if (file := Path(cfg.get("recipe", ""))).is_file():  # workers start in another folder
        cfg = {**cfg, "recipe": str(file.resolve())}
    with cluster.cluster(address) as ray:
        share = cluster.share(cluster.nodes(ray), workers)
        return _persistently({**cfg, "processes": workers}, workers, share, body)


def _persistently(cfg: dict[str, Any], workers: int, share: Share, body: Train) -> dict[str, Any]:
    """Fits until it is done. Failures count only if no checkpoint was reached since the one before."""
    from ray.exceptions import RayError
    from ray.train import ControllerError, WorkerGroupError

    place = cfg.get("address") or cfg["out"]
    reached = fetching.newest(place)
    while True:
        try:
            found = stoppable(lambda: fetching.ask(place), lambda: _fit(cfg, workers, share, body))
            break
        except WorkerGroupError as failure:
            before, reached = reached, fetching.newest(place)
            if reached == before:
                raise SslgraphError(_in_words(failure.worker_failures, place, ray_compat.logs())) from failure
        except ControllerError as failure:
            cure = f"the same command with --out {place} continues when they are there"
            raise SslgraphError(f"Ray could not start {workers} workers: {failure}; {cure}") from failure
        except RayError as failure:  # it lost the process that watches the workers: no memory was left, for example
            why = str(failure).strip().partition("\n")[0].rstrip(".")
            raise SslgraphError(f"Ray ended the run: {why}; the same command with --out {place} continues") from failure
    if "stopped" in found:
        raise SystemExit(found["stopped"])
    if "fault" in found:
        raise SslgraphError(found["fault"])
    return found


def stoppable(ask: Callable[[], None], work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Does the work in a thread, while this one listens: at the first Ctrl-C or SIGTERM `ask` asks it to stop."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as failure:
            outcome.append(failure)

    thread = threading.Thread(target=run, daemon=True)
    with Interrupt(then=ask):
        thread.start()
        thread.join()
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    found: dict[str, Any] = outcome[0]
    return found


def _fit(cfg: dict[str, Any], workers: int, share: Share, body: Train) -> dict[str, Any]:
    from ray.train import FailureConfig, LoggingConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer

    folder = Path(cfg["out"])
    ray_compat.forget_checkpoints(folder)
    resources = {"CPU": share.cpus} | ({"GPU": share.gpus} if share.gpus else {})
    trainer = TorchTrainer(
        _worker,
        train_loop_config={"cfg": cfg, "body": body, "folder": str(Path.cwd())},
        torch_config=ray_compat.torch_config(TIMEOUT_S, interface.choose),
        scaling_config=ScalingConfig(num_workers=workers, use_gpu=share.gpus > 0, resources_per_worker=resources),
        run_config=RunConfig(
            name=folder.name,
            storage_path=str(folder.parent),
            failure_config=FailureConfig(max_failures=RETRIES, controller_failure_limit=1),
            logging_config=LoggingConfig(log_level="CRITICAL"),  # its files keep all
            worker_runtime_env={"env_vars": {"OMP_NUM_THREADS": str(share.cpus)}},
        ),
    )
    return dict(trainer.fit().return_value)


def _worker(config: dict[str, Any]) -> dict[str, Any]:
    """What every Ray worker runs. A fault that a user can mend is returned: raised, Ray would try it three times.

    What is raised is one line here, and a trace in Ray's files.
    """
    import ray.train

    ray_compat.quiet_worker()
    if config["cfg"].get("plugins"):
        sys.path.append(config["folder"])  # where they are; last, as in the command line
    cfg = {**config["cfg"], "local_rank": ray.train.get_context().get_local_rank()}
    try:
        return dict(config["body"](cfg))
    except SystemExit as ended:
        return {"stopped": str(ended)}
    except Exception as failure:
        if isinstance(failure, SslgraphError) and not isinstance(failure, StorageError):
            return {"fault": str(failure)}
        why = "another worker is gone" if _is_echo(failure) else _last_line(failure)
        print(f"worker {ray.train.get_context().get_world_rank()} ended: {why}", file=sys.stderr, flush=True)
        raise


def _in_words(failures: Mapping[int, BaseException], place: str, logs: str) -> str:
    """The first worker's error that is not only the echo of another's death."""
    told = {rank: getattr(failure, "cause", None) or failure for rank, failure in failures.items()}
    own = {rank: failure for rank, failure in told.items() if not _is_echo(failure)} or told
    rank = min(own)
    cure = f"the same command with --out {place} continues; traces are in {logs}, on each node"
    said = f"worker {rank} failed {RETRIES + 1} times without getting on, the last time with: {_last_line(own[rank])}"
    return f"{said}; {cure}"


def _is_echo(failure: BaseException) -> bool:
    echoes = ("Connection closed by peer", "Connection reset by peer", "was stopped")
    return any(echo in str(failure) for echo in echoes)


def _last_line(failure: BaseException) -> str:
    return (str(failure).strip() or type(failure).__name__).splitlines()[-1]
