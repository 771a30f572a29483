"""Files as they were written: what can't be read is said in one line, and every value keeps its place."""

from pathlib import Path

import pytest

from sslgraph.errors import SpecError
from sslgraph.read.document import BYTES, read, read_text, read_value


def message(file: Path) -> str:
    with pytest.raises(SpecError) as caught:
        read(file)
    return str(caught.value)


def test_a_document_is_plain_data_and_places(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("\ufeffmethod: A\nnets:\n  f: {use: backbones.vit, depth: 2}\n", encoding="utf-8")
    document = read(file)
    assert document.data == {"method": "A", "nets": {"f": {"use": "backbones.vit", "depth": 2}}}
    assert str(document.place(("nets", "f", "depth"))) == f"{file}:3:34"


def test_settings_may_stand_in_a_path_or_not() -> None:
    document = read_text("nets:\n  f: {depth: 2}", Path("a.yaml"))
    assert document.place(("nets", "f", "settings", "depth")) == document.place(("nets", "f", "depth"))


def test_what_is_not_there_stands_where_the_value_around_it_does() -> None:
    document = read_text("nets:\n  f: {depth: 2}", Path("a.yaml"))
    assert document.place(("nets", "f", "width")) == document.place(("nets", "f"))
    assert document.place(("nets", "f", "depth", "more", 3)) == document.place(("nets", "f", "depth"))


def test_a_phase_is_found_by_its_number_and_by_its_name() -> None:
    document = read_text("phases:\n- name: a\n- name: train\n  every: 1 epoch\n", Path("a.yaml"))
    assert document.place(("phases", 1, "every")) == document.place(("phases", "train", "every"))
    assert document.place(("phases", 1, "every")).line == 4


@pytest.mark.parametrize(
    "text, kind",
    [
        ("method: a", "method"),
        ("set: {}\nextends: a", "method"),
        ("method: a\nrecipe: b", "recipe"),
        ("pipeline: a", "pipeline"),
        ("augmentation: a", "augmentation"),
    ],
)
def test_a_text_says_what_it_is(text: str, kind: str) -> None:
    assert read_text(text, Path("a.yaml")).kind == kind


def test_a_text_that_does_not_say_what_it_is_is_refused() -> None:
    with pytest.raises(
        SpecError, match="does not say what it is\n  there are: recipe, pipeline, augmentation, extends, method"
    ):
        _ = read_text("a: 1", Path("a.yaml")).kind


@pytest.mark.parametrize(
    "data, said",
    [
        (b"", "the file is empty"),
        (b"# only a comment\n", "the file is empty"),
        (b"- a", ":1:1: the text is a list, not a mapping"),
        (b"just words", "the text is the text 'just words', not a mapping"),
        (b"a: 1\nb: \xff\n", ":2:4: byte 0xff is not UTF-8 text"),
        (b"a\x00b", "the file is binary, not text"),
        (b"a: " + b"x" * BYTES, "the file is larger than 1 MiB"),
    ],
)
def test_what_is_no_spec_is_refused(data: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(data)
    assert said in message(tmp_path / "a.yaml")


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    assert "no.yaml: there is no such file\n  check the path" in message(tmp_path / "no.yaml")
    assert "this is a folder" in message(tmp_path)
    assert "can't be read" in message(tmp_path / ("long" * 100))
    assert "there is no such file" in message(Path("/dev/zero"))


def test_a_value_of_the_command_line_is_read_by_the_same_rules() -> None:
    assert read_value("1e-4", "--set lr") == 1e-4
    assert read_value("{cosine: [0.4, 0]}", "--set lr") == {"cosine": [0.4, 0]}
    assert read_value("", "--set lr") is None
    with pytest.raises(SpecError, match="--set lr:1:2: this is not YAML"):
        read_value("[", "--set lr")
