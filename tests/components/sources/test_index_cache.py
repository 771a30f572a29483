"""What was read once is read again from the cache, until the file changes; nobody can lead its writing elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from sslgraph.components.sources.stores.index_cache import Arrays, remembered
from sslgraph.components.sources.stores.store import File

FILE = File("a.tar", 3, "3 1")


class Reading:
    """Counts how often it is read."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> Arrays:
        self.count += 1
        return {"sizes": np.array([self.count])}


def test_a_file_is_read_once_until_it_changes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSLGRAPH_CACHE", str(tmp_path))
    read = Reading()
    for file, count in ((FILE, 1), (FILE, 1), (File("a.tar", 4, "4 2"), 2), (File("a.tar", 4, "4 2"), 2)):
        assert remembered("tar 1", "/a.tar", file, read)["sizes"].tolist() == [count]


def test_a_cache_that_can_not_be_written_costs_time_and_no_more(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SSLGRAPH_CACHE", str(tmp_path / "file"))
    read = Reading()
    assert [remembered("tar 1", "/a.tar", FILE, read)["sizes"].item() for _ in range(2)] == [1, 2]


def test_planted_links_are_not_followed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSLGRAPH_CACHE", str(tmp_path / "cache"))
    remembered("tar 1", "/a.tar", FILE, Reading())
    (kept,) = (tmp_path / "cache").rglob("*.npz")
    (tmp_path / "victim").write_text("precious")
    for name in (kept.name, ".lock", f"{kept.name}.{os.getpid()}.tmp"):
        (kept.parent / name).unlink(missing_ok=True)
        (kept.parent / name).symlink_to(tmp_path / "victim")
    assert remembered("tar 1", "/a.tar", FILE, Reading())["sizes"].tolist() == [1]
    assert (tmp_path / "victim").read_text() == "precious"


def test_a_header_that_python_can_not_parse_beside_another_thread_is_read_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = Reading()
    remembered("tar 1", "/a.tar", FILE, read)

    def stumbling(*_: object, **__: object) -> None:
        raise SystemError("AST constructor recursion depth mismatch")

    monkeypatch.setattr(np, "load", stumbling)
    assert remembered("tar 1", "/a.tar", FILE, read)["sizes"].item() == 2
