"""Starts a run where it is to run: in this process, under torchrun, or on the workers of Ray Train.

The loop, the run folder and the checkpoints are ours on all three; Ray starts processes and starts them again when one
dies. Two of Ray's internals are touched (2.60): the name of the logger of its train context, and, on Linux, a
variable meant for macOS that keeps every socket on 127.0.0.1; a test guards the second.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from sslgraph import home
from sslgraph.errors import SslgraphError

from . import machine
from .setup import settled
from .train import train

Settle = Callable[[Mapping[str, Any]], dict[str, Any]]
Train = Callable[..., dict[str, Any]]

# Set before Ray is imported; what the user has set stays.
QUIET_AND_PRIVATE = {
    "RAY_AUTH_MODE": "token",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # every socket on 127.0.0.1
    "RAY_TRAIN_ENABLE_PRINT_PATCH": "0",  # or each line comes twice
    "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",  # or an error line on every run
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.5",  # how long a finished run is waited for
    "RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S": "60",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_COLOR_PREFIX": "0",
    "RAY_DEDUP_LOGS": "0",
}
OBJECT_STORE = 100 * 2**20  # bytes; images do not travel through Ray
RETRIES = 2  # after a worker died; each goes on from the newest checkpoint
TIMEOUT_S = 300


def launch(
    cfg: Mapping[str, Any],
    *,
    workers: int = 1,
    address: str | None = None,
    settle: Settle = settled,
    body: Train = train,
) -> dict[str, Any]:
    """Trains what `cfg` says on so many workers and returns the summary; `address` is that of a running Ray cluster.

    What can be found wrong without images and devices is found by `settle`, before any worker starts; `body` is what
    each worker runs.
    """
    if workers < 1:
        raise SslgraphError(f"--workers {workers} would train nothing; ask for 1 or more")
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        return _under_torchrun(cfg, settle, body)
    cfg = settle(cfg)
    if workers == 1 and address is None:
        return body(cfg)
    return _on_ray(cfg, workers, address or os.environ.get("RAY_ADDRESS"), body)


def _under_torchrun(cfg: Mapping[str, Any], settle: Settle, body: Train) -> dict[str, Any]:
    local = int(os.environ["LOCAL_RANK"])
    on = machine.device(local)
    dist.init_process_group("nccl" if on.type == "cuda" else "gloo", timeout=timedelta(seconds=TIMEOUT_S))
    try:
        # A folder with a time in its name must be the first rank's on all of them.
        agreed = [settle(cfg) if dist.get_rank() == 0 else None]
        dist.broadcast_object_list(agreed, src=0)
        processes = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
        return body({**(agreed[0] or {}), "local_rank": local, "processes": processes})
    finally:
        dist.destroy_process_group()


def _on_ray(cfg: Mapping[str, Any], workers: int, address: str | None, body: Train) -> dict[str, Any]:
    if address is None:
        refuse_too_many(workers, cores=machine.cores(), gpus=torch.cuda.device_count())
    with _cluster(address) as ray:
        available = ray.cluster_resources()
        gpus = int(available.get("GPU", 0))
        refuse_too_many(workers, cores=int(available.get("CPU", 0)), gpus=gpus)
        threads = max(1, int(available["CPU"]) // workers)
        return _fit({**cfg, "processes": workers}, workers, threads, gpus > 0, body)


def refuse_too_many(workers: int, *, cores: int, gpus: int) -> None:
    """Ray would wait for ever for processors that are not there."""
    what, there = ("GPUs", gpus) if gpus else ("processor cores", cores)
    if workers > there:
        need = f"{workers} workers need {workers} {what}, and there are {there}"
        raise SslgraphError(f"{need}; ask for --workers {there}")


def _fit(cfg: dict[str, Any], workers: int, threads: int, use_gpu: bool, body: Train) -> dict[str, Any]:
    from ray.train import FailureConfig, LoggingConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchConfig, TorchTrainer
    from ray.train.v2.api.exceptions import ControllerError, WorkerGroupError

    folder = Path(cfg["out"])
    resources = {"CPU": threads} | ({"GPU": 1} if use_gpu else {})
    trainer = TorchTrainer(
        _worker,
        train_loop_config={"cfg": cfg, "body": body},
        torch_config=TorchConfig(timeout_s=TIMEOUT_S),
        scaling_config=ScalingConfig(num_workers=workers, use_gpu=use_gpu, resources_per_worker=resources),
        run_config=RunConfig(
            name=folder.name,
            storage_path=str(folder.parent),
            failure_config=FailureConfig(max_failures=RETRIES, controller_failure_limit=1),
            logging_config=LoggingConfig(log_level="WARNING"),
            worker_runtime_env={"env_vars": {"OMP_NUM_THREADS": str(threads)}},
        ),
    )
    try:
        found: dict[str, Any] = trainer.fit().return_value
    except WorkerGroupError as failure:
        raise SslgraphError(_in_words(failure.worker_failures, folder)) from failure
    except ControllerError as failure:
        raise SslgraphError(f"Ray could not start {workers} workers: {failure}") from failure
    if "fault" in found:
        raise SslgraphError(found["fault"])
    return found


def _worker(config: dict[str, Any]) -> dict[str, Any]:
    """What every Ray worker runs. A fault that a user can mend is returned: raised, Ray would try it three times."""
    import ray.train
    from ray.train.v2._internal.execution import context

    logging.getLogger(context.__file__).setLevel(logging.WARNING)  # LoggingConfig does not reach this one
    cfg = {**config["cfg"], "local_rank": ray.train.get_context().get_local_rank()}
    try:
        return dict(config["body"](cfg, report=_report))
    except SslgraphError as fault:
        return {"fault": str(fault)}


def _report(path: Path, measures: Mapping[str, float]) -> None:
    """Tells Ray of a checkpoint that lies in the run folder already. All ranks call it."""
    import ray.train

    handle = None
    if ray.train.get_context().get_world_rank() == 0:
        handle = ray.train.Checkpoint(str(path), ray.train.get_context().get_storage().storage_filesystem)
    ray.train.report(dict(measures), checkpoint=handle, checkpoint_upload_mode=ray.train.CheckpointUploadMode.NO_UPLOAD)


def _in_words(failures: Mapping[int, BaseException], folder: Path) -> str:
    """The first worker's error that is not only the echo of another's death."""
    echoes = ("Connection closed by peer", "Connection reset by peer", "was stopped")
    told = {rank: str(getattr(failure, "cause", None) or failure) for rank, failure in failures.items()}
    own = {rank: text for rank, text in told.items() if not any(echo in text for echo in echoes)} or told
    rank, text = min(own.items())
    last = text.strip().splitlines()[-1] if text.strip() else "no message"
    cure = f"the same command with --out {folder} goes on"
    return f"worker {rank} failed {RETRIES + 1} times, the last time with: {last}; {cure}"


@contextmanager
def _cluster(address: str | None) -> Iterator[Any]:
    """A Ray that answers: the one that runs in this process, the one at the address, or a private one of our own."""
    for name, value in QUIET_AND_PRIVATE.items():
        os.environ.setdefault(name, value)
    private = _pinned() if address is None else {}
    os.environ.update(private)
    import ray

    if ray.is_initialized():
        yield ray
        return
    own = {} if address else {"object_store_memory": OBJECT_STORE, "num_cpus": machine.cores()}
    environment = {"env_vars": {"PYTHONPATH": _import_path()}}
    try:
        ray.init(address=address or "local", logging_level="warning", runtime_env=environment, **own)
        yield ray
    finally:
        ray.shutdown()
        for name in private:
            os.environ.pop(name, None)


def _import_path() -> str:
    """Where workers find this code: they start in a folder of Ray's."""
    here = home.ROOT.parent if home.INSTALLED else home.ROOT
    return os.pathsep.join(filter(None, [str(here), os.environ.get("PYTHONPATH")]))


def _pinned() -> dict[str, str]:
    """The address of the cluster to come: without it, a second Ray on this machine confuses the first one's cleaner."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return {"RAY_GCS_SERVER_PORT": str(port), "RAY_ADDRESS": f"127.0.0.1:{port}"}
