"""No command writes anywhere but where it is told to: working folder, home and temporary folder are watched."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from command import Command
from command import sslgraph as sslgraph
from PIL import Image
from tiny_recipe import RECIPE

ROOT = Path(__file__).parent.parent
BROKEN = RECIPE.replace("lr: 1e-2", "lr: 1e+38").replace("steps: 2", "steps: 6")
CACHES = ("__pycache__", ".git", ".hypothesis", ".pytest_cache", ".ruff_cache", ".mypy_cache")
# What is called, what it may write, and the exit code.
Call = tuple[tuple[str, ...], str | None, int]
CALLS: list[Call] = [
    (("list",), None, 0),
    (("show", "byol", "--code"), None, 0),
    (("check", "tiny.yaml"), None, 0),
    (("plan", "tiny.yaml", "--gpus", "2"), None, 0),
    (("draw", "byol", "--text"), None, 0),
    (("draw", "byol", "-o", "out/byol.svg"), "out/byol.svg", 0),
    (("draw", "byol", "-o", "out/byol.png"), "out/byol.png", 0),
    (("diff", "byol", "simsiam"), None, 0),
    (("diff", "byol", "simsiam", "-o", "out/change.svg"), "out/change.svg", 0),
    (("views", "tiny.yaml", "-o", "out/views.png"), "out/views.png", 0),
    (("data", "images"), None, 0),
    (("data", "images", "--prepare", "out/small"), "out/small", 0),
    (("train", "tiny.yaml", "--out", "out/run"), "out/run", 0),
    (("train", "--resume", "out/run"), "out/run", 0),
    (("train", "tiny.yaml"), "runs", 0),
    (("evaluate", "out/run"), "out/run", 0),
    (("report", "out/run"), "out/run", 0),
    (("report", "out/run", "-o", "out/report.html"), "out/report.html", 0),
    (("train", "broken.yaml", "--out", "out/broken"), "out/broken", 1),
    (("evaluate", "images"), None, 1),
    (("train", "no_such_method"), None, 1),
]


def state(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of every file and folder below, less what Python and torch.compile keep for themselves."""
    found = {}
    for path in folder.rglob("*"):
        if not any(part in CACHES or part.startswith("torchinductor_") for part in path.relative_to(folder).parts):
            seen = path.lstat()
            found[str(path.relative_to(folder))] = (0, 0) if path.is_dir() else (seen.st_size, seen.st_mtime_ns)
    return found


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that holds the working folder, the home and the temporary folder of the commands."""
    for name in ("here/out", "here/images/a", "home", "temporary"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr(tempfile, "tempdir", None)  # asked for anew
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    for number in range(12):
        Image.new("RGB", (16, 16), (20 * number, 0, 99)).save(tmp_path / f"here/images/a/{number}.png")
    (tmp_path / "here/tiny.yaml").write_text(RECIPE)
    (tmp_path / "here/broken.yaml").write_text(BROKEN)
    return tmp_path


def test_every_command_writes_only_where_it_is_told_to(sslgraph: Command, watched: Path) -> None:
    checkout = state(ROOT)
    for words, allowed, code in CALLS:
        before = state(watched)
        said = sslgraph(*words)
        assert said.code == code, (words, said)
        after = state(watched)
        changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
        mine = f"here/{allowed}" if allowed else ""
        assert {name for name in changed if not mine or not name.startswith(mine)} == set(), words
        assert bool(changed) == (allowed is not None), words
    assert state(ROOT) == checkout


@pytest.mark.slow
def test_the_page_stays_in_its_folder_and_verify_and_replay_leave_nothing_behind(
    sslgraph: Command, watched: Path
) -> None:
    before, checkout = state(watched), state(ROOT)
    assert sslgraph("page", "tiny.yaml", "-o", "out/page").code == 0
    assert {n for n in state(watched) if n not in before and not n.startswith("here/out/page")} == set()
    assert sslgraph("train", "broken.yaml", "--out", "out/broken").code == 1
    (kept,) = (watched / "here/out/broken").glob("not_finite_step_*")
    before = state(watched)
    assert sslgraph("replay", str(kept)).code == 0
    assert sslgraph("verify", "tiny.yaml", "--ranks", "1,2", "--resume").code == 0
    assert state(watched) == before and state(ROOT) == checkout
