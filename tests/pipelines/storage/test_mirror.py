"""What a run writes arrives at its address whole and in order, comes back to another machine, and is never lost."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from object_storage import Storage
from object_storage import storage as storage

from sslgraph.errors import SslgraphError, StorageError
from sslgraph.files import whole_file
from sslgraph.pipelines.storage import checkpoint, fetching, lease, mirror
from sslgraph.pipelines.storage.checkpoint import Checkpoint
from sslgraph.pipelines.storage.remote import Remote

ADDRESS = "s3://b/runs/one"


@pytest.fixture
def remote(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> Remote:  # noqa: ARG001
    monkeypatch.setattr(lease, "SETTLES_S", 0.0)
    monkeypatch.setattr(mirror, "TICK_S", 0.02)
    return Remote(ADDRESS)


def saved(folder: Path, step: int, *, keep: int = 2, value: float = 0.0) -> None:
    weights = {"f.weight": torch.full((100,), float(step) + value)}
    checkpoint.save(folder / "checkpoints", Checkpoint("text\n", step, weights, {}), keep=keep)


def recorded(folder: Path, *steps: int) -> None:
    with (folder / "metrics.jsonl").open("a") as file:
        file.writelines(json.dumps({"step": step, "gradient_norm": 1.0}) + "\n" for step in steps)


def soon(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 200
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


def steps(folder: Path) -> list[int]:
    return [json.loads(line)["step"] for line in (folder / "metrics.jsonl").read_text().splitlines()]


def there(remote: Remote) -> set[str]:
    return {name.split("/")[1] for name in remote.names("checkpoints") if name.endswith("COMPLETE")}


def test_a_run_comes_back_whole_to_another_machine(remote: Remote, tmp_path: Path) -> None:
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    with mirror.mirrored(ADDRESS, here, print):
        (here / "resolved.yaml").write_text("text\n")
        for step in (1, 2, 3):
            recorded(here, step)
            saved(here, step)
            soon(lambda step=step: f"step_{step:08d}" in there(remote))
    assert there(remote) == {"step_00000002", "step_00000003"}  # as many as are kept here
    fetching.fetch(remote, elsewhere)
    assert steps(elsewhere) == [1, 2, 3] and (elsewhere / "resolved.yaml").read_text() == "text\n"
    found = checkpoint.load(elsewhere / "checkpoints" / "step_00000003")
    assert torch.equal(found.method["f.weight"], torch.full((100,), 3.0))
    assert not remote.names().keys() & {"lease.json", "stop"}


def test_a_start_that_cuts_the_record_leaves_each_step_once(remote: Remote, tmp_path: Path) -> None:
    here = tmp_path / "here"
    with mirror.mirrored(ADDRESS, here, print):
        recorded(here, 1, 2, 3)
        saved(here, 2)
    for _ in range(2):  # each goes on from step 2
        with mirror.mirrored(ADDRESS, here, print):
            lines = (here / "metrics.jsonl").read_text().splitlines(keepends=True)[:2]
            whole_file.put(here / "metrics.jsonl", "".join(lines).encode())
            recorded(here, 3, 4)
            saved(here, 4)
            soon(lambda: "step_00000004" in there(remote))
            recorded(here, 5)
    fetching.fetch(remote, tmp_path / "elsewhere")
    assert steps(tmp_path / "elsewhere") == [1, 2, 3, 4, 5]


def test_checkpoints_that_come_faster_than_they_can_be_sent_arrive_now_and_then(
    remote: Remote, tmp_path: Path, storage: Storage
) -> None:
    here, last = tmp_path / "here", 0
    storage.latency = 0.02
    with mirror.mirrored(ADDRESS, here, print):
        end = time.monotonic() + 200
        while len(found := there(remote)) < 1 and time.monotonic() < end:
            for last in range(last + 1, last + 20):  # noqa: B020
                saved(here, last, keep=1)
        assert found
    assert there(remote) == {f"step_{last:08d}"}


def test_a_checkpoint_without_its_marker_is_not_fetched(remote: Remote, tmp_path: Path) -> None:
    here = tmp_path / "here"
    with mirror.mirrored(ADDRESS, here, print):
        saved(here, 1)
        saved(here, 2)
    remote.remove("checkpoints/step_00000002/COMPLETE")
    fetching.fetch(remote, tmp_path / "elsewhere")
    assert [path.name for path in (tmp_path / "elsewhere" / "checkpoints").iterdir()] == ["step_00000001"]


def test_what_a_killed_run_left_unsent_here_is_sent_by_the_next_start(remote: Remote, tmp_path: Path) -> None:
    here = tmp_path / "here"
    with mirror.mirrored(ADDRESS, here, print):
        saved(here, 1)
    (here / fetching.UNSENT).write_bytes(remote.read(fetching.RUN) or b"")  # as a kill leaves it
    saved(here, 2)
    with mirror.mirrored(ADDRESS, here, print):
        pass
    assert there(remote) == {"step_00000001", "step_00000002"}


def test_older_checkpoints_that_are_gone_here_go_there_too_when_a_start_sends_what_was_left(
    remote: Remote, tmp_path: Path
) -> None:
    here = tmp_path / "here"
    with mirror.mirrored(ADDRESS, here, print):
        saved(here, 1)
    (here / fetching.UNSENT).write_bytes(remote.read(fetching.RUN) or b"")  # as a kill leaves it
    saved(here, 2)
    saved(here, 3)  # two are kept: the first is gone here
    with mirror.mirrored(ADDRESS, here, print):
        pass
    assert there(remote) == {"step_00000002", "step_00000003"}


def test_an_object_whose_name_leads_out_of_the_folder_is_refused(
    remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote.put("metrics.jsonl", b"")
    evil = SimpleNamespace(path=f"{remote._base}/checkpoints/../../../evil", size=1, is_file=True)
    monkeypatch.setattr(remote, "_patiently", lambda *_: [evil])
    with pytest.raises(SslgraphError, match=r"'checkpoints/\.\./\.\./\.\./evil' would be written outside"):
        fetching.fetch(remote, tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere").exists()


def test_a_run_that_was_removed_at_its_address_does_not_come_back(
    remote: Remote, tmp_path: Path, storage: Storage
) -> None:
    here = tmp_path / "here"
    with mirror.mirrored(ADDRESS, here, print):
        saved(here, 1)
    (here / fetching.UNSENT).write_bytes(remote.read(fetching.RUN) or b"")
    shutil.rmtree(storage.root / "b" / "runs")
    with mirror.mirrored(ADDRESS, here, print):
        assert not checkpoint.complete(here / "checkpoints")


def test_storage_that_is_away_for_a_while_is_said_once_and_gets_everything_later(
    remote: Remote, tmp_path: Path, storage: Storage
) -> None:
    here, said = tmp_path / "here", list[str]()
    with mirror.mirrored(ADDRESS, here, said.append):
        saved(here, 1)
        soon(lambda: len(there(remote)) == 1)
        storage.refuses = True
        saved(here, 2)
        soon(lambda: bool(said))
        time.sleep(0.3)
        storage.refuses = False
        saved(here, 3)
    assert len(said) == 1 and f"training continues, and what is not sent yet is kept in {here}" in said[0]
    assert there(remote) == {"step_00000002", "step_00000003"}


def test_storage_that_is_away_at_the_end_is_an_error_that_says_where_the_run_is(
    remote: Remote, tmp_path: Path, storage: Storage
) -> None:
    here = tmp_path / "here"
    with (
        pytest.raises(StorageError, match=rf"not sent is complete in {here}, and the same command on this machine"),
        mirror.mirrored(ADDRESS, here, print),
    ):
        saved(here, 1)
        soon(lambda: len(there(remote)) == 1)
        storage.refuses = True
        saved(here, 2)
    storage.refuses = False
    lease_left = json.loads(remote.read(lease.NAME) or b"{}")
    assert lease_left.get("process")
    remote.remove(lease.NAME)
    with mirror.mirrored(ADDRESS, here, print):
        pass
    assert there(remote) == {"step_00000001", "step_00000002"}


@pytest.mark.usefixtures("remote")
def test_a_stop_at_the_address_asks_the_run_and_does_not_ask_the_next_one(tmp_path: Path) -> None:
    here = tmp_path / "here"
    with mirror.mirrored(ADDRESS, here, print):
        fetching.ask(ADDRESS)
        soon((here / "stop").exists)
    with mirror.mirrored(ADDRESS, here, print):
        time.sleep(0.2)
        assert not (here / "stop").exists()


def test_only_the_newest_state_is_fetched_where_no_more_is_needed(remote: Remote, tmp_path: Path) -> None:
    here = tmp_path / "here"
    with mirror.mirrored(ADDRESS, here, print):
        saved(here, 1)
        saved(here, 2)
    fetching.fetch(remote, tmp_path / "other", newest_only=True)
    assert [path.name for path in checkpoint.complete(tmp_path / "other" / "checkpoints")] == ["step_00000002"]
    assert fetching.newest(ADDRESS) == "step_00000002"


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("s3://bucket", "s3://bucket is a whole bucket; name a folder in it, such as s3://bucket/my-run"),
        ("https://host/run", "https://host/run: runs can be kept in a folder, or at an address s3://... or gs://..."),
        ("s3://key:secret@bucket/run", "an address with a password or a signature would be written"),
    ],
)
def test_an_address_that_can_hold_no_run_is_refused(address: str, says: str) -> None:
    with pytest.raises(SslgraphError) as refused:
        Remote(address)
    assert says in str(refused.value)
