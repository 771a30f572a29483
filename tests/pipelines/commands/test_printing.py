"""A system without UTF-8 and names of any bytes end no command in a traceback."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_recipe import RECIPE

from sslgraph.pipelines.commands import printing

ROOT = Path(__file__).parents[3]
PLAIN = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


@pytest.mark.parametrize(("encoding", "expected"), [("ascii", b"a?\xfc?\xc3\xa9"), ("utf-8", "aé\udcfc漢\udcc3\udca9")])
def test_bytes_of_names_are_printed_as_they_are_and_other_letters_where_they_can_be(
    encoding: str, expected: bytes | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict")
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "stderr", io.StringIO())  # is left as it is
    printing.print_anything()
    stream.write("aé\udcfc漢\udcc3\udca9")
    stream.flush()
    written = expected if isinstance(expected, bytes) else expected.encode(errors="surrogateescape")
    assert stream.buffer.getvalue() == written  # type: ignore[attr-defined]


def test_a_run_in_a_folder_of_any_name_is_trained_without_utf_8(tmp_path: Path) -> None:
    (tmp_path / "tiny-é.yaml").write_text(RECIPE.lstrip().replace("recipe: tiny", "recipe: tiny 漢"), encoding="utf-8")
    out = os.fsencode(tmp_path) + b"/r\xc3\xbcn \xff"
    command = [sys.executable, "-m", "sslgraph", "train", "tiny-é.yaml", "--out", out]
    done = subprocess.run(command, cwd=tmp_path, env={**os.environ, **PLAIN}, capture_output=True, check=False)
    assert done.returncode == 0 and done.stderr == b""
    assert b"done: " + out in done.stdout
    run = Path(os.fsdecode(out))
    assert out in (run / "introduction.txt").read_bytes()
    assert json.loads((run / "summary.json").read_text())["recipe"] == "tiny 漢"
    again = [*command[:4], "--resume", out]
    done = subprocess.run(again, cwd=tmp_path, env={**os.environ, **PLAIN}, capture_output=True, check=False)
    assert done.returncode == 0 and b"done: " + out in done.stdout, done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("words", [["list"], ["--version"], ["check", "--fast", "simclr"]])
def test_a_full_disk_behind_standard_output_is_one_line(words: list[str]) -> None:
    command, environment = [sys.executable, "-m", "sslgraph", *words], {**os.environ, "PYTHONPATH": str(ROOT)}
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=300, env=environment
        )
    said = "what this command prints or writes can't be written: no space left on device\n"
    assert (done.returncode, done.stderr) == (1, said)
