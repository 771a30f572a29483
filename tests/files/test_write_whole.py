"""A file is there whole or not at all, and what stands in the way is told."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import pytest

from sslgraph.errors import SslgraphError
from sslgraph.files.write_whole import writable, write_whole


def test_a_file_is_replaced_by_the_whole_new_one(tmp_path: Path) -> None:
    (tmp_path / "page").write_text("old")
    write_whole(tmp_path / "page", lambda file: file.write(b"new"))
    assert (tmp_path / "page").read_text() == "new" and len(list(tmp_path.iterdir())) == 1


def test_what_fails_in_the_middle_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    def half(file: BinaryIO) -> None:
        file.write(b"ne")
        raise OSError(28, "No space left on device")

    (tmp_path / "page").write_text("old")
    with pytest.raises(SslgraphError, match="page can't be written: no space left on device; give another place"):
        write_whole(tmp_path / "page", half)
    assert (tmp_path / "page").read_text() == "old" and len(list(tmp_path.iterdir())) == 1


def test_an_error_that_is_no_disks_passes_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        write_whole(tmp_path / "page", lambda _: 1 / 0)
    assert list(tmp_path.iterdir()) == []


def test_a_place_is_tried_before_the_work(tmp_path: Path) -> None:
    writable(tmp_path / "page")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    for place, reason in (
        ("folder", "is a directory"),
        ("gone/page", "no such file"),
        ("file/page", "not a directory"),
    ):
        with pytest.raises(SslgraphError, match=f"can't be written: {reason}"):
            writable(tmp_path / place)


def test_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("precious")
    for planted in (".page.tmp", "page.tmp", "page"):
        (tmp_path / planted).symlink_to("victim")
    write_whole(tmp_path / "page", lambda file: file.write(b"new"))
    assert (tmp_path / "victim").read_text() == "precious" and (tmp_path / "page").read_text() == "new"
