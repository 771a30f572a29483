"""Google's storage holds a run as S3 does: the same steps, through pyarrow's client, against a server of the tests."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from command import Command
from command import sslgraph as sslgraph
from google_storage import GoogleStorage
from object_storage import serving
from runs import assert_equal
from tiny_recipe import RECIPE

from sslgraph.errors import StorageError
from sslgraph.pipelines.storage import fetching, lease, mirror
from sslgraph.pipelines.storage.remote import Remote

ADDRESS = "gs://anonymous@b/runs/one"


@pytest.fixture
def google(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GoogleStorage]:
    (tmp_path / "storage" / "b").mkdir(parents=True)
    monkeypatch.setenv("SSLGRAPH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("sslgraph.files.addresses.WAITS", (0.01, 0.02))
    monkeypatch.setattr(lease, "SETTLES_S", 0.0)
    monkeypatch.setattr(mirror, "TICK_S", 0.02)
    with serving(tmp_path / "storage", kind=GoogleStorage) as there:
        assert isinstance(there, GoogleStorage)
        monkeypatch.setenv("CLOUD_STORAGE_EMULATOR_ENDPOINT", there.address)
        yield there


@pytest.mark.usefixtures("google")
def test_objects_are_written_listed_read_and_removed(tmp_path: Path) -> None:
    remote, large = Remote(ADDRESS), tmp_path / "large"
    large.write_bytes(torch.randint(256, (20 * 2**20,), dtype=torch.uint8).numpy().tobytes())
    assert remote.read("lease.json") is None and remote.names() == {}
    remote.put("lease.json", b"mine")
    remote.send("checkpoints/step_1/method.pt", large)
    assert remote.read("lease.json") == b"mine"
    assert remote.names() == {"lease.json": 4, "checkpoints/step_1/method.pt": 20 * 2**20}
    assert remote.names("checkpoints") == {"checkpoints/step_1/method.pt": 20 * 2**20}
    remote.fetch("checkpoints/step_1/method.pt", tmp_path / "back" / "method.pt")
    assert (tmp_path / "back" / "method.pt").read_bytes() == large.read_bytes()
    remote.remove("lease.json", "not there")
    assert remote.names("lease.json") == {}


def test_a_server_that_refuses_is_said(google: GoogleStorage) -> None:
    remote = Remote(ADDRESS)
    google.refuses = True
    with pytest.raises(StorageError, match=r"reading it was refused .*; credentials are taken from GOOGLE_APPLICATION"):
        remote.read("it")


def test_a_run_goes_on_elsewhere_and_ends_as_one_in_a_folder(
    google: GoogleStorage, tmp_path: Path, sslgraph: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = f"{RECIPE}checkpoint: {{every: 1 steps, keep: 2}}\nevaluate: {{}}\n"
    Path("tiny.yaml").write_text(text.replace("steps: 2", "steps: 4"))
    assert sslgraph("train", "tiny.yaml", "--out", "whole").code == 0
    said = sslgraph("train", "tiny.yaml", "--out", ADDRESS)
    assert said.code == 0 and f"done: {ADDRESS}\n" in said.out, said.err
    there = google.root / "b" / "runs" / "one"
    # As after a kill behind step 3, on a machine that has nothing of it.
    shutil.rmtree(there / "checkpoints" / "step_00000004")
    (there / "summary.json").unlink()
    shutil.rmtree(fetching.folder_of(ADDRESS))
    again = sslgraph("train", "--resume", ADDRESS)
    assert again.code == 0 and "continues after step 3" in again.out, again.err
    last = Path("checkpoints") / "step_00000004" / "method.pt"
    one, two = (torch.load(run / last, weights_only=True) for run in (there, tmp_path / "whole"))
    assert_equal(one, two)
    lines = (fetching.visit(ADDRESS) / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines if "gradient_norm" in line] == [1, 2, 3, 4]
