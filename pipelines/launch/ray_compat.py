"""Everything of Ray that its documentation does not promise, with the reason; a test names what another Ray moved.

Variables are set before Ray is imported; what the user has set stays.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sslgraph.errors import SslgraphError
from sslgraph.files.write_whole import reason

if TYPE_CHECKING:
    from ray.train.torch import TorchConfig

QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_TRAIN_ENABLE_PRINT_PATCH": "0",  # or each line comes twice
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.5",  # how long a finished run is waited for
    "RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S": "60",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_COLOR_PREFIX": "0",
    "RAY_DEDUP_LOGS": "0",
}
# For a Ray that ends with this process. A cluster that runs already is its owner's.
PRIVATE = {
    "RAY_worker_niceness": "0",  # Ray's own is 15: whatever else runs on this machine would train first
    "RAY_AUTH_MODE": "token",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # meant for macOS: every socket on 127.0.0.1
    "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",  # or an error line on every run; nobody takes this machine away
}
PORT, ADDRESS = "RAY_GCS_SERVER_PORT", "RAY_ADDRESS"
IN_A_JOB = "RAY_JOB_CONFIG_JSON_ENV_VAR"  # Ray's job server sets it for what it runs
SLOW_START = "timed out during startup"
# When a job is stopped it is asked by SIGTERM, and killed if it has not saved its checkpoint and ended in this time.
STOPPING = {"RAY_JOB_STOP_SIGNAL": "SIGTERM", "RAY_JOB_STOP_WAIT_TIME_S": "300"}
# Modules whose loggers say at their own level what a job packs, and that a stream has ended.
CHATTY = ("ray.dashboard.modules.dashboard_sdk", "ray.dashboard.modules.job.sdk", "ray._private.runtime_env.packaging")


def read_variables_again() -> None:
    """Makes Ray look again at what it reads once, at its import, which may have been the user's."""
    from ray._private import ray_constants
    from ray._raylet import Config  # type: ignore[attr-defined]

    Config.initialize("")  # RAY_AUTH_MODE
    name, by_itself = ray_constants.ENABLE_RAY_CLUSTERS_ENV_VAR, sys.platform not in ("win32", "darwin")
    ray_constants.ENABLE_RAY_CLUSTER = ray_constants.env_bool(name, by_itself)


def ended_slow_start(problem: Exception) -> bool:
    """Whether Ray gave up on a node of its own that did not start in time; what it had started of it is ended then.

    Ray says so by a plain Exception, and the node is known to nobody but to the calls in which it arose.
    """
    if SLOW_START not in str(problem):
        return False
    call = problem.__traceback__
    while call is not None:
        end = getattr(call.tb_frame.f_locals.get("self"), "kill_all_processes", None)
        if end is not None:
            end(check_alive=False, wait=True)
        call = call.tb_next
    return True


def refuse_a_missing_token(*, is_private: bool) -> None:
    """SslgraphError where a token is asked for and there is none to show: Ray aborts the process, or leaves a trace.

    A private Ray makes its own token at the usual place.
    """
    mode = os.environ.get("RAY_AUTH_MODE", PRIVATE["RAY_AUTH_MODE"] if is_private else "")
    named = os.environ.get("RAY_AUTH_TOKEN_PATH")
    if mode.lower() != "token" or os.environ.get("RAY_AUTH_TOKEN") or (is_private and not named):
        return
    file = Path(named or Path.home() / ".ray" / "auth_token")
    try:
        lacks = "" if file.read_text(encoding="utf-8", errors="replace").strip() else "is empty"
    except OSError as problem:
        lacks = f"can't be read: {reason(problem)}"
    if lacks:
        where = "RAY_AUTH_TOKEN_PATH names it" if named else "RAY_AUTH_MODE=token asks for it"
        cure = "put the cluster's token there, readable by you alone, or export RAY_AUTH_TOKEN"
        raise SslgraphError(f"Ray's token {file} {lacks} ({where}); {cure}")


def quiet_jobs() -> None:
    """Leaves of what Ray's client of jobs says the warnings."""
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)


def torch_config(timeout_s: int, first: Callable[[str], None]) -> TorchConfig:
    """How the workers' torch processes meet. Each calls `first` before, with its host's address in the cluster."""
    import ray
    from ray.train.torch import TorchConfig
    from ray.train.torch.config import _TorchBackend

    class Prepared(_TorchBackend):  # type: ignore[misc]  # Ray has no hook of its own between a worker's start and the meeting
        def on_start(self, worker_group: Any, backend_config: TorchConfig) -> None:
            worker_group.execute(lambda: first(ray.util.get_node_ip_address()))
            super().on_start(worker_group, backend_config)

    class Config(TorchConfig):  # type: ignore[misc]
        backend_cls = Prepared

    return Config(timeout_s=timeout_s)


def quiet_worker() -> None:
    """Leaves of what Ray says on a worker the warnings; LoggingConfig does not reach this logger, named by its file."""
    from ray.train.v2._internal.execution import context

    logging.getLogger(context.__file__).setLevel(logging.WARNING)


def logs() -> str:
    """The folder in which Ray Train's files hold what workers of this node said, with every trace."""
    import ray

    return str(Path(ray._private.worker._global_node.get_session_dir_path()) / "logs" / "train")


def forget_checkpoints(folder: Path) -> None:
    """Removes Ray's own list of a run's checkpoints: by it Ray refuses a folder from which one of them was removed."""
    from ray.train.v2._internal.constants import CHECKPOINT_MANAGER_SNAPSHOT_FILENAME

    (folder / CHECKPOINT_MANAGER_SNAPSHOT_FILENAME).unlink(missing_ok=True)
