"""The wheel: one top-level name with everything inside, and it works in a folder of strangers."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
METHOD = "method: Own\nextends: simclr\nset: {losses.contrast.temperature: 0.3}\n"

pytest.importorskip("hatchling", reason="the wheel is built with hatchling: pip install hatchling")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout without network."""
    folder = tmp_path_factory.mktemp("wheel")
    words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    built = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (file,) = folder.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to put on the import path, with what the wheel holds."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder)
    return folder


@pytest.fixture
def strange(tmp_path: Path) -> Path:
    """A folder whose packages have the names of ours in a checkout, and must not be taken for them."""
    for name in ("components", "pipelines", "specs"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise ImportError('a stranger was imported')\n")
    (tmp_path / "own.yaml").write_text(METHOD)
    return tmp_path


def run(installed: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`python -m sslgraph ...` from the unpacked wheel; `-P` is not given, so the folder itself comes first."""
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    return subprocess.run(
        [sys.executable, "-m", "sslgraph", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_wheel_holds_one_package_with_everything_inside(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"sslgraph"} and len(tops) == 2
    for folder in ("components", "pipelines", "specs"):
        ours = {
            f"sslgraph/{file.relative_to(ROOT).as_posix()}"
            for kind in ("*.py", "*.yaml", "*.c")
            for file in (ROOT / folder).rglob(kind)
        }
        assert ours and ours <= set(names)
    assert not [name for name in names if "test" in Path(name).name or name.endswith(".pyc")]


def test_list_works_from_the_wheel_in_a_folder_of_strangers(installed: Path, strange: Path) -> None:
    ended = run(installed, strange, "list")
    assert ended.returncode == 0, ended.stderr
    assert "\nsimclr " in ended.stdout


def test_check_with_shapes_works_from_the_wheel_in_a_folder_of_strangers(installed: Path, strange: Path) -> None:
    ended = run(installed, strange, "check", "own.yaml", "demo/byol")
    assert ended.returncode == 0, ended.stderr
    assert [line.partition(" (")[0] for line in ended.stdout.splitlines() if "right" in line] == [
        "own.yaml: right",
        "demo/byol: right",
    ]


def test_training_works_from_the_wheel_in_a_folder_of_strangers(installed: Path, strange: Path) -> None:
    words = ("--out", "run", "--set", "data.limit=32", "--set", "batch=16", "--set", "steps=2", "--set", "evaluate={}")
    ended = run(installed, strange, "train", "simclr", *words)
    assert ended.returncode == 0, ended.stderr
    assert (strange / "run" / "resolved.yaml").is_file()
