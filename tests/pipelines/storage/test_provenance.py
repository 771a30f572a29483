"""Where a run was started, as it stands in its folder."""

from __future__ import annotations

import subprocess
from pathlib import Path

from sslgraph.pipelines.storage import provenance


def git(folder: Path, *words: str) -> str:
    names = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    done = subprocess.run(["git", "-C", str(folder), *names, *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_each_start_is_a_line_with_its_facts(tmp_path: Path) -> None:
    provenance.note(tmp_path, {"device": "one"})
    provenance.note(tmp_path, {"device": "two"})
    starts = provenance.read(tmp_path)
    assert [start["device"] for start in starts] == ["one", "two"]
    assert {"started", "host", "system", "python", "torch", "sslgraph", "commit"} < set(starts[0])


def test_a_line_that_a_crash_left_half_is_no_start(tmp_path: Path) -> None:
    provenance.note(tmp_path, {})
    with (tmp_path / provenance.FILE).open("a") as file:
        file.write('{"started": "20')
    assert len(provenance.read(tmp_path)) == 1
    assert provenance.read(tmp_path / "gone") == []


def test_a_checkout_gives_its_commit_and_whether_files_differ_from_it(tmp_path: Path) -> None:
    assert provenance.commit(tmp_path) == ""
    git(tmp_path, "init", "-q")
    (tmp_path / "a").write_text("1")
    git(tmp_path, "add", "a")
    assert provenance.commit(tmp_path) == ""  # nothing is committed yet
    git(tmp_path, "commit", "-qm", "first")
    head = git(tmp_path, "rev-parse", "--short=12", "HEAD")
    assert provenance.commit(tmp_path) == head and len(head) == 12
    (tmp_path / "a").write_text("2")
    assert provenance.commit(tmp_path) == f"{head}, with changes"
