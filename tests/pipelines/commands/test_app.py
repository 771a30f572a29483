"""The command line: what each command prints, on which stream, with which exit code; reading needs no torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from command import Command
from command import sslgraph as sslgraph
from typer.main import get_command

from sslgraph import __version__
from sslgraph.pipelines.commands.app import app
from sslgraph.read import catalogue

OWN_LOSS = '''
"""A loss of one's own."""
from jaxtyping import Float
from torch import Tensor, nn


class Distance(nn.Module):
    """The mean squared distance, times a scale."""

    def __init__(self, *, scale: float = 1.0) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, one: Float[Tensor, "batch dim"], other: Float[Tensor, "batch dim"]) -> Float[Tensor, ""]:
        return self.scale * (one - other).square().mean()
'''
OWN_METHOD = """\
method: Own
views:
  x1: {augment: simclr, size: 16}
  x2: {augment: simclr, size: 16}
nets:
  f: {use: backbones.resnet, depth: 10, width: 8, stem: cifar}
flow:
  z1: l2(f(x1))
  z2: l2(f(x2))
losses:
  near: {use: "own_parts.losses:Distance", of: [z1, z2], scale: 2.0}
export: f
"""
DATASETS = ("cifar10", "cifar10-small", "demo", "imagenet", "photos")
RECIPES = Path(__file__).parents[3] / "specs" / "recipes"
COMMANDS = get_command(app).commands  # type: ignore[attr-defined]
HALVES = {"of", "that", "whose", "in", "as", "for", "by", "with", "where", "at", "how", "on", "to"}
SMALL = ("--set", "data.limit=16", "--set", "batch=8", "--set", "epochs=1", "--set", "evaluate={}")


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("ev", ["evaluate"]),
        ("evaluate --prot", ["--protocol"]),
        ("train simc", ["simclr", "simclr_v2"]),
        ("draw cifar10-small/simclr_", ["cifar10-small/simclr_v2"]),
        ("check no_such", []),
    ],
)
def test_a_shell_completes_commands_options_and_specs(
    sslgraph: Command, monkeypatch: pytest.MonkeyPatch, words: str, completed: list[str]
) -> None:
    monkeypatch.setenv("_SSLGRAPH_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", f"sslgraph {words}")
    monkeypatch.setenv("COMP_CWORD", str(len(words.split())))
    said = sslgraph()
    assert (said.code, said.out.split()) == (0, completed), said.err


def test_list_prints_a_line_for_every_method_with_its_recipes(sslgraph: Command) -> None:
    said = sslgraph("list")
    assert said.code == 0 and said.err == ""
    for name in catalogue.names("methods"):
        (line,) = [line for line in said.out.splitlines() if line.split()[:1] == [name]]
        own = [data for data in DATASETS if (RECIPES / data / f"{name}.yaml").is_file()]
        assert "arXiv:" in line and line.endswith(f"  [{', '.join(own)}]" if own else line)


def test_show_prints_the_spec_as_it_is_written_and_its_gradient_map(sslgraph: Command) -> None:
    out = sslgraph("show", "byol").out
    assert out.startswith(catalogue.file_of("methods", "byol").read_text(encoding="utf-8").rstrip())
    assert "\nft  EMA       EMA\n" in out


def test_show_code_prints_the_program(sslgraph: Command) -> None:
    assert "    contrast = self.contrast(z_views)\n" in sslgraph("show", "demo/simclr", "--code").out


def test_show_gradients_prints_the_map_alone(sslgraph: Command) -> None:
    assert sslgraph("show", "simclr", "--gradients").out == "   contrast\nf  gradient\ng  gradient\n"


def test_show_resolved_prints_the_whole_text_with_what_was_set(sslgraph: Command) -> None:
    out = sslgraph("show", "moco_v1", "--resolved", "--set", "losses.info.temperature=0.5").out
    assert "extends" not in out and "temperature: 0.5" in out and "augment: moco_v1" in out


def test_check_can_not_print_shapes_that_it_does_not_work_out(sslgraph: Command) -> None:
    said = sslgraph("check", "--fast", "--shapes", "simclr")
    assert (said.code, said.out) == (1, "") and said.err.startswith("--fast stops before shapes are known")


def test_check_says_ok_of_each_spec(sslgraph: Command) -> None:
    said = sslgraph("check", "--fast", "simclr", "cifar10/byol")
    assert said.code == 0
    assert [line.partition(" (")[0] for line in said.out.splitlines()] == ["simclr: OK", "cifar10/byol: OK"]


def test_check_goes_on_after_a_fault_and_ends_with_one(sslgraph: Command) -> None:
    said = sslgraph("check", "--fast", "nothing", "simclr")
    assert (
        said.code == 1
        and said.out.startswith("simclr: OK (")
        and said.err.startswith("there is no recipe or method 'nothing'")
    )


def test_check_prints_shapes_and_gradients_where_asked(sslgraph: Command) -> None:
    out = sslgraph("check", "demo/simclr", "--shapes", "--gradients", "--set", "batch=64", "--set", "nets.g.out=32").out
    shapes = dict(line.split() for line in out.splitlines() if line.startswith("  ") and len(line.split()) == 2)
    assert "f  gradient\n" in out and shapes["z"] == "128x32" and shapes["contrast"] == "scalar"


def test_check_counts_what_the_linter_finds_as_faults_if_asked(sslgraph: Command) -> None:
    words = ("check", "--fast", "simclr", "--set", "losses.contrast.temperature=50")
    assert sslgraph(*words).code == 0
    said = sslgraph(*words, "--strict")
    assert said.code == 1 and "--set losses.contrast.temperature: SG" in said.out


def test_check_shows_a_silenced_warning_with_its_reason_and_does_not_count_it(sslgraph: Command) -> None:
    reason = ("--set", "losses.contrast.temperature=50", "--set", "lint.SG106=as in my paper")
    said = sslgraph("check", "--fast", "simclr", "--strict", *reason)
    assert said.code == 0 and "SG106 does not count: as in my paper\n  (temperature of" in said.out
    assert "lint: {SG106: as in my paper}" in sslgraph("show", "simclr", "--resolved", *reason).out


def test_set_changes_a_value_of_method_and_recipe(sslgraph: Command) -> None:
    out = sslgraph("show", "cifar10-small/simclr", "--resolved", "--set", "nets.g.out=32", "--set", "batch=64").out
    assert "out: 32" in out and "\nbatch: 64\n" in out


@pytest.mark.parametrize(
    "words", [(), ("bogus",), ("check", "--bogus"), ("show",), ("train",), ("train", "simclr", "--workers", "two")]
)
def test_a_command_that_can_not_be_read_ends_with_2(sslgraph: Command, words: tuple[str, ...]) -> None:
    said = sslgraph(*words)
    assert said.code == 2 and "Usage: sslgraph" in said.out + said.err


def test_resume_continues_a_run_with_its_own_settings(sslgraph: Command, tmp_path: Path) -> None:
    folder = str(tmp_path / "run")
    assert sslgraph("train", "simclr", "--out", folder, "--set", "seed=3", *SMALL).code == 0
    said = sslgraph("train", "--resume", folder)
    assert said.code == 0 and f"done: {folder}" in said.out
    assert "seed: 3" in (tmp_path / "run" / "resolved.yaml").read_text()
    said = sslgraph("train", "--resume", str(tmp_path / "gone"))
    assert said.code == 1 and "there is no run in that folder" in said.err


def test_the_overview_at_80_columns_shows_the_first_sentence_of_every_command(
    sslgraph: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown = sslgraph("--help").out.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in shown] == list(COMMANDS)
    width = max(map(len, COMMANDS))
    for line, (name, command) in zip(shown, COMMANDS.items(), strict=True):
        first = " ".join((command.help or "").split()).partition(". ")[0].removesuffix(".") + "."
        assert len(first) <= 60 and line == f"  {name:<{width}}  {first}"


@pytest.mark.parametrize("name", list(COMMANDS))
def test_the_help_of_every_option_stands_alone(name: str) -> None:
    for parameter in COMMANDS[name].params:
        words = getattr(parameter, "help", None) or ""
        assert words[:1].isupper() and words.split()[0].lower() not in HALVES, (parameter.name, words)


def test_parts_alone_are_searched_for_a_word(sslgraph: Command) -> None:
    assert "losses.nt_xent" in sslgraph("list", "parts", "supervised").out
    said = sslgraph("list", "methods", "dino")
    assert said.code == 1 and "methods are not searched for 'dino'; parts are: sslgraph list parts dino" in said.err


def test_the_version_is_printed(sslgraph: Command) -> None:
    assert sslgraph("--version").out == f"{__version__}\n"


def test_a_loss_of_ones_own_in_ones_own_file_works_with_plugin_and_is_refused_without(
    sslgraph: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own_parts").mkdir()
    Path("own_parts/losses.py").write_text(OWN_LOSS)
    Path("own.yaml").write_text(OWN_METHOD)
    for command in (("check", "own.yaml"), ("train", "own.yaml", "--out", "refused")):
        said = sslgraph(*command)
        assert said.code == 1 and "own_parts.losses" not in sys.modules and not Path("refused").exists()
        assert said.err.startswith("own.yaml:11:15: 'own_parts.losses:Distance' is code from outside the catalogue")
        assert "allow it with --plugin own_parts.losses" in said.err
    assert sslgraph("check", "own.yaml", "--plugin", "own_parts").code == 0
    said = sslgraph("train", "own.yaml", "--plugin", "own_parts", "--out", "run", *SMALL)
    assert said.code == 0 and "done: " in said.out, said
    assert '"near"' in next(Path("run").glob("*.jsonl")).read_text()
    monkeypatch.delitem(sys.modules, "own_parts.losses")
    monkeypatch.delitem(sys.modules, "own_parts")


@pytest.mark.parametrize(
    "words",
    [
        ("list",),
        ("check", "--fast", "simclr"),
        ("check", "--fast", "cifar10/dino"),
        ("show", "byol"),
        ("show", "simclr", "--resolved"),
        ("diff", "moco_v1", "moco_v2"),
        ("check", "--fast", "gone.yaml"),
    ],
)
def test_what_only_reads_imports_no_torch(words: tuple[str, ...]) -> None:
    program = (
        "import sys\nsys.argv = ['sslgraph', *sys.argv[1:]]\nfrom sslgraph.pipelines.commands.app import main\n"
        "try:\n    main()\nfinally:\n    assert not {'torch', 'ray', 'numpy'} & set(sys.modules)\n    print('light')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert ended.stdout.endswith("light\n"), ended.stderr
    assert ended.returncode == (1 if "gone.yaml" in words else 0)


def test_a_fault_goes_to_standard_error_and_the_process_ends_with_1() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "sslgraph", "check", "--fast", "gone.yaml"],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert (ended.returncode, ended.stdout) == (1, "") and ended.stderr.startswith("gone.yaml: there is no such file\n")
