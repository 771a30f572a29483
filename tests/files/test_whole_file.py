"""Files and folders are there whole or not at all, and nobody can lead the writing elsewhere."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from sslgraph.files.whole_file import put, whole_file, whole_folder

GUESSED = bytes(8)  # the random part of a hidden name, as somebody might have guessed it


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Path]:
    """A file that must stay as it is."""
    file = tmp_path / "victim"
    file.write_bytes(b"precious")
    yield file
    assert file.read_bytes() == b"precious"


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_file_is_replaced_by_the_whole_new_one(tmp_path: Path) -> None:
    put(tmp_path / "page", b"old")
    with whole_file(tmp_path / "page") as file:
        file.write(b"new")
        assert (tmp_path / "page").read_bytes() == b"old"
    assert (tmp_path / "page").read_bytes() == b"new" and names(tmp_path) == {"page"}


def test_its_bytes_are_on_the_disk_before_it_takes_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, really, path = [], os.fsync, tmp_path / "page"

    def noticed(number: int) -> None:
        really(number)
        seen.append((os.fstat(number).st_size, path.exists()))

    monkeypatch.setattr(os, "fsync", noticed)
    put(path, b"12345")
    assert seen == [(5, False)]


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_fails_in_the_middle_leaves_the_old_file_and_nothing_else(tmp_path: Path, failure: BaseException) -> None:
    put(tmp_path / "page", b"old")
    with pytest.raises(type(failure)), whole_file(tmp_path / "page") as file:
        file.write(b"ne")
        raise failure
    assert (tmp_path / "page").read_bytes() == b"old" and names(tmp_path) == {"page"}


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_who_may_read_it_is_what_the_umask_says(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        put(tmp_path / "page", b"")
        with whole_folder(tmp_path / "folder"):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "page").stat().st_mode) == 0o666 & ~mask
    assert stat.S_IMODE((tmp_path / "folder").stat().st_mode) == 0o777 & ~mask


def test_a_link_in_its_place_is_replaced_and_not_followed(tmp_path: Path, victim: Path) -> None:
    (tmp_path / "page").symlink_to(victim)
    put(tmp_path / "page", b"new")
    assert not (tmp_path / "page").is_symlink() and (tmp_path / "page").read_bytes() == b"new"


def test_hidden_names_are_new_each_time(tmp_path: Path) -> None:
    with whole_file(tmp_path / "page") as one, whole_file(tmp_path / "page") as other:
        assert one.name != other.name


def test_a_link_under_the_hidden_name_is_refused_and_not_followed(
    tmp_path: Path, victim: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "urandom", lambda _: GUESSED)
    (link := tmp_path / f".page.{GUESSED.hex()}.tmp").symlink_to(victim)
    with pytest.raises(FileExistsError):
        put(tmp_path / "page", b"new")
    assert not (tmp_path / "page").exists() and link.is_symlink()


def test_folders_and_devices_are_not_replaced_by_a_file(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(IsADirectoryError):
        put(tmp_path / "folder", b"")
    with pytest.raises(FileExistsError):
        put(tmp_path / "pipe", b"")
    assert names(tmp_path) == {"folder", "pipe"} and (tmp_path / "pipe").is_fifo()


def test_a_name_may_be_as_long_as_the_file_system_allows(tmp_path: Path) -> None:
    for name in ("a" * 255, "ü" * 127):
        put(tmp_path / name, b"new")
        assert (tmp_path / name).read_bytes() == b"new"


def test_a_folder_appears_when_it_is_whole(tmp_path: Path) -> None:
    (tmp_path / "deep" / "there").mkdir(parents=True)  # an empty one gives way
    for place in ("new", "deep/there", "no/folder/yet"):
        with whole_folder(tmp_path / place) as folder:
            (folder / "one").write_text("1")
            assert not (tmp_path / place / "one").exists()
        assert names(tmp_path / place) == {"one"}
    assert names(tmp_path) == {"new", "deep", "no"}


def test_a_folder_that_fails_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("")
    with pytest.raises(ZeroDivisionError), whole_folder(tmp_path / "new") as folder:
        (folder / "one").write_text("1")
        raise ZeroDivisionError
    with pytest.raises(OSError, match="not empty"), whole_folder(tmp_path / "full"):
        pass
    assert names(tmp_path) == {"full"} and names(tmp_path / "full") == {"file"}


def test_a_link_under_a_folders_hidden_name_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "urandom", lambda _: GUESSED)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / f".new.{GUESSED.hex()}.tmp").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError), whole_folder(tmp_path / "new") as folder:
        (folder / "one").write_text("1")
    assert names(tmp_path / "elsewhere") == set() and not (tmp_path / "new").exists()
