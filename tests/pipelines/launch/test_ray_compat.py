"""What is used of Ray without its promise: which of it this Ray has moved."""

from __future__ import annotations

import importlib.util
import logging
import re
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

from sslgraph.errors import SslgraphError
from sslgraph.pipelines.launch import ray_compat as those

VARIABLES = [*those.QUIET, *those.PRIVATE, *those.STOPPING, those.PORT, those.ADDRESS, those.IN_A_JOB]
LATER = {"RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": (2, 57)}  # an older Ray has none, and needs none
ROOM = "pipelines/launch/ray_compat.py"


def moved(what: str) -> None:
    pytest.fail(f"Ray {version('ray')} has moved {what}; mend it in {ROOM}", pytrace=False)


@pytest.fixture(scope="module")
def ray_text() -> bytes:
    """All of Ray's Python files, and its library of C++."""
    import ray

    folder = Path(ray.__file__).parent
    files = [*folder.rglob("*.py"), folder / "_raylet.so"]
    return b"\n".join(file.read_bytes() for file in files)


@pytest.mark.parametrize("name", VARIABLES)
def test_ray_reads_the_variable(ray_text: bytes, name: str) -> None:
    here = tuple(int(number) for number in version("ray").split(".")[:2])
    if here < LATER.get(name, here):
        assert name.encode() not in ray_text
        return
    # RAY_ with a name in small letters stands for an entry of Ray's table of settings, which has it without RAY_.
    word = name.removeprefix("RAY_") if name != name.upper() else name
    if word.encode() not in ray_text:
        moved(f"the variable {name}")


def test_ray_says_so_where_a_node_starts_slowly(ray_text: bytes) -> None:
    if those.SLOW_START.encode() not in ray_text or b"def kill_all_processes" not in ray_text:
        moved("what it says and keeps of a node that starts slowly")


def test_a_variable_that_moved_is_noticed(ray_text: bytes) -> None:
    assert b"RAY_" + b"GONE_FOR_EVER" not in ray_text and len(ray_text) > 10**7


@pytest.mark.parametrize("name", those.CHATTY)
def test_the_loggers_are_named_after_modules_that_are_there(name: str) -> None:
    if importlib.util.find_spec(name) is None or "getLogger(__name__)" not in Path(
        str(importlib.util.find_spec(name).origin)  # type: ignore[union-attr]
    ).read_text("utf-8"):
        moved(f"the logger {name}")


def test_jobs_and_workers_are_quiet() -> None:
    try:
        from ray.train.v2._internal.execution import context
    except ImportError:
        moved("the context of a worker")
    logger = context.logger
    if logger.name != context.__file__:
        moved("the name of the logger of a worker's context")
    before = logger.level
    try:
        those.quiet_worker()
        those.quiet_jobs()
        assert logger.level == logging.WARNING
        assert all(logging.getLogger(name).level == logging.WARNING for name in those.CHATTY)
    finally:
        logger.setLevel(before)


def test_workers_are_prepared_before_torch_meets() -> None:
    """The address of the node is given first, then Ray does what it does."""
    try:
        config = those.torch_config(7, lambda address: done.append(f"at {address}"))
        backend = config.backend_cls
    except ImportError:
        moved("the backend of its TorchConfig")
    done: list[str] = []

    class Group:
        def execute(self, work: Callable[[], None]) -> None:
            assert callable(work)
            done.append("execute")

        def execute_single(self, *_: object) -> None:
            raise LookupError("Ray's own")

        def get_resources_per_worker(self) -> dict[str, float]:
            return {}

    with pytest.raises(LookupError, match="Ray's own"):
        backend().on_start(Group(), config)
    assert config.timeout_s == 7 and done == ["execute"]


def test_rays_own_list_of_checkpoints_is_forgotten(tmp_path: Path) -> None:
    try:
        from ray.train.v2._internal.constants import CHECKPOINT_MANAGER_SNAPSHOT_FILENAME as NAME
    except ImportError:
        moved("the name of its list of checkpoints")
    (tmp_path / NAME).write_text("{}")
    (tmp_path / "metrics.jsonl").write_text("")
    for _ in range(2):
        those.forget_checkpoints(tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["metrics.jsonl"]


@pytest.mark.parametrize(
    ("given", "is_private", "says"),
    [
        ({}, False, None),  # no token is asked for
        ({}, True, None),  # a private Ray makes its own
        ({"RAY_AUTH_MODE": "token"}, True, None),
        ({"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "a" * 32}, False, None),
        ({"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": "there"}, False, None),
        ({"RAY_AUTH_MODE": "disabled", "RAY_AUTH_TOKEN_PATH": "gone"}, False, None),
        ({"RAY_AUTH_MODE": "token"}, False, "home/.ray/auth_token can't be read: no such file or directory (RAY_AUTH_"),
        ({"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": "empty"}, False, "token empty is empty (RAY_AUTH_TOKEN_"),
        ({"RAY_AUTH_TOKEN_PATH": "gone"}, True, "token gone can't be read: no such file or directory (RAY_AUTH_TOKEN_"),
    ],
)
def test_a_token_that_is_missing_is_said(
    given: dict[str, str], is_private: bool, says: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there").write_text("0123456789abcdef" * 2)
    Path("empty").write_text("\n")
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": str(tmp_path / "home"), **given}.items():
        monkeypatch.setenv(name, value)
    if says is None:
        those.refuse_a_missing_token(is_private=is_private)
        return
    with pytest.raises(SslgraphError, match=re.escape(says)):
        those.refuse_a_missing_token(is_private=is_private)
