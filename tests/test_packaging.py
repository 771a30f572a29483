"""One import name, in a wheel and in an editable install, also inside a folder of strangers with our folders' names."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
METHOD = "method: Own\nextends: simclr\nset: {losses.contrast.temperature: 0.3}\n"
BUILD = {
    "wheel": "from hatchling.build import build_wheel as build",
    "editable": "from hatchling.build import build_editable as build",
}
STRANGERS = ("components", "pipelines", "specs", "tests", "utils", "docs", "benchmarks")
SMALL = ("--set", "data.limit=32", "--set", "batch=16", "--set", "steps=2", "--set", "evaluate={}")

pytest.importorskip("hatchling", reason="the package is built with hatchling: pip install hatchling")
pytest.importorskip("editables", reason="an editable install needs editables: pip install editables")


def built(kind: str, folder: Path) -> Path:
    """The wheel, or the editable one, built from this checkout without network."""
    program = f"import sys; {BUILD[kind]}; build(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (file,) = folder.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built("wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module", params=["wheel", "editable"])
def python(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has this environment's packages, and sslgraph installed in one of two ways."""
    folder = tmp_path_factory.mktemp(f"{request.param}-environment")
    venv.create(folder, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    # Named to be read first: the editable install imports from it. What its own .pth files would add is left out.
    (site / "A_borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    with zipfile.ZipFile(built(request.param, tmp_path_factory.mktemp(request.param))) as packed:
        packed.extractall(site)
    return folder / "bin" / "python"


@pytest.fixture
def strange(tmp_path: Path) -> Path:
    """A folder whose packages have the names of our folders, and of a library, and must not be taken for them."""
    for name in STRANGERS:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise ImportError('a stranger was imported')\n")
    (tmp_path / "numpy.py").write_text("raise ImportError('a stranger was imported')\n")
    (tmp_path / "own.yaml").write_text(METHOD)
    return tmp_path


def run(python: Path, folder: Path, *words: str) -> str:
    """What `python WORDS` says in a folder, as in a shell that knows nothing of this checkout; it must end well."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(python), *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


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


def test_installing_makes_no_other_folder_importable(python: Path, tmp_path: Path) -> None:
    names = ["sslgraph", "components", "pipelines", "specs", *STRANGERS[3:], "scripts"]
    program = f"import importlib.util as u; print([n for n in {names} if u.find_spec(n)])"
    assert run(python, tmp_path, "-c", program) == "['sslgraph']\n"


def test_commands_work_in_a_folder_of_strangers(python: Path, strange: Path) -> None:
    assert "\nsimclr " in run(python, strange, "-m", "sslgraph", "list")
    said = run(python, strange, "-m", "sslgraph", "check", "own.yaml", "demo/byol")
    assert [line.partition(":")[0] for line in said.splitlines() if " values, " in line] == ["own.yaml", "demo/byol"]
    run(python, strange, "-m", "sslgraph", "draw", "own.yaml", "-o", "own.svg")
    assert (strange / "own.svg").read_text().startswith("<svg")


def test_training_works_in_a_folder_of_strangers(python: Path, strange: Path) -> None:
    run(python, strange, "-m", "sslgraph", "train", "simclr", "--out", "run", *SMALL)
    assert (strange / "run" / "resolved.yaml").is_file()


def test_a_script_beside_strangers_imports_sslgraph(python: Path, strange: Path) -> None:
    (strange / "script.py").write_text("import sslgraph\nprint(sslgraph.__version__)\n")
    assert run(python, strange, "script.py").strip()


@pytest.mark.slow
@pytest.mark.ray
def test_several_processes_train_in_a_folder_of_strangers(python: Path, strange: Path) -> None:
    run(python, strange, "-m", "sslgraph", "train", "simclr", "--workers", "2", "--out", "ray", *SMALL)
    assert (strange / "ray" / "resolved.yaml").is_file()
    torchrun = ("-P", "-m", "torch.distributed.run", "--nproc-per-node", "2")  # as the command torchrun starts
    run(python, strange, *torchrun, "-m", "sslgraph", "train", "simclr", "--out", "torchrun", *SMALL)
    assert (strange / "torchrun" / "resolved.yaml").is_file()
