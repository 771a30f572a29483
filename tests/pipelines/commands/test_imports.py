"""A command imports what it uses: most of the time of `check` and `draw` is the import of libraries."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from sslgraph.pipelines.check.check import examine
from sslgraph.settle import real_run

ROOT = Path(__file__).parents[3]
HEAVY = ("torch._dynamo", "torch._inductor", "torchvision", "timm", "sklearn", "tensorboard", "ray", "pyarrow",
         "matplotlib", "resvg_py", "PIL", "fsspec")  # fmt: skip
PROGRAM = """
import sys
sys.argv = ["sslgraph", *{words}]
from sslgraph.__main__ import main
try:
    main()
except SystemExit as ended:
    assert not ended.code, ended
print("imported:", *(name for name in {heavy} if name in sys.modules))
"""


def imported(*words: str, heavy: tuple[str, ...] = HEAVY) -> list[str]:
    """The heavy libraries that a command imports."""
    program = PROGRAM.format(words=words, heavy=heavy)
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1].removeprefix("imported:").split()


def test_the_command_line_itself_imports_nothing_heavy() -> None:
    assert imported("list") == []


@pytest.mark.parametrize("method", ["simclr", "byol", "moco_v2", "deepcluster"])
def test_a_check_of_a_residual_network_imports_torch_alone(method: str) -> None:
    assert imported("check", method) == []


def test_the_status_of_a_pipeline_imports_no_torch() -> None:
    assert imported("status", "simclr_v2", heavy=("torch", *HEAVY)) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("status", "nothing"), "there is no pipeline 'nothing'"),
        (("search", "simclr", "--space", "nothing.yaml"), "nothing.yaml: there is no such file"),
        (("search", "nothing", "--space", "{space}"), "there is no"),
    ],
)
def test_a_wrong_call_is_refused_before_torch_is_imported(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    space = tmp_path / "space.yaml"
    space.write_text("search: rates\nmaximize: knn\nnumbers: {optimizer.lr: [0.1, 0.2]}\n")
    words = tuple(word.format(space=space) for word in words)
    program = PROGRAM.format(words=words, heavy=("torch",)).replace("assert not ended.code, ended", "pass")
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert said in done.stderr and done.stdout.splitlines()[-1] == "imported:"


def test_a_drawing_imports_torch_alone(tmp_path: Path) -> None:
    assert imported("draw", "simclr", "-o", str(tmp_path / "drawn.svg")) == []


def test_a_run_imports_no_compiler_and_no_library_of_nets(tmp_path: Path) -> None:
    small = ["steps=2", "epochs=null", "data.images=32", "batch=8", "evaluate={}", "monitor=null"]
    found = imported("train", "simclr", "--out", str(tmp_path / "run"), *(w for each in small for w in ("--set", each)))
    assert not {"torch._dynamo", "torchvision", "timm", "sklearn", "ray", "pyarrow", "matplotlib"} & set(found)


def test_a_check_of_a_vision_transformer_builds_no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(real_run, "built", lambda *_: pytest.fail("a part was built with storage"))
    sized = examine("mae").sized
    assert sized is not None
    assert {p.device for part in sized.parts.values() for p in part.parameters()} == {torch.device("meta")}
