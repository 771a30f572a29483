"""A value is explained with the file and line that it stands on; a path that means nothing is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from command import Command
from command import sslgraph as sslgraph

from sslgraph.lint import RULES
from sslgraph.parts import registry
from sslgraph.read import catalogue


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another folder than the checkout, whose files are then named whole."""
    monkeypatch.chdir(tmp_path)


def line_of(file: Path, text: str) -> int:
    return next(i for i, line in enumerate(file.read_text().splitlines(), start=1) if text in line)


def test_a_value_of_a_recipe_comes_with_what_the_method_says(sslgraph: Command) -> None:
    said = sslgraph("explain", "cifar10-small/simclr", "losses.contrast.temperature")
    recipe, method = catalogue.file_of("recipes", "cifar10-small/simclr"), catalogue.file_of("methods", "simclr")
    value, *lines = said.out.splitlines()
    told = dict(line.split(maxsplit=1) for line in lines)
    assert (said.code, value) == (0, "losses.contrast.temperature: 0.2"), said.err
    assert told["from"] == f"recipe, {recipe}:{line_of(recipe, 'losses.contrast.temperature')}"
    assert told["method"] == f"0.1 ({method}:{line_of(method, 'losses.nt_xent')})"
    assert told["meaning"] == "divides the similarities, no unit."
    assert told["takes"] == "a number above 0 or a schedule" and told["paper"].endswith("arXiv:2002.05709")


@pytest.mark.parametrize(
    ("words", "value", "origin"),
    [
        (("simclr", "nets.f.norm"), "batch", "default of backbones.resnet"),
        (("simclr", "nets.f.frozen"), "false", "default of the language"),
        (("demo/byol", "seed"), "0", "default of the language"),
        (("demo/byol", "data.images"), "10000", "default of sources.patterns"),
        (("demo/byol", "optimizer.lr", "--set", "optimizer.lr=0.1"), "0.1", "the command line, --set"),
        (("simclr", "views.x.crop.ratio"), "[0.75, 1.3333333333333333]", "default of augment.random_resized_crop"),
    ],
)
def test_a_default_says_whose_it_is(words: tuple[str, ...], value: str, origin: str, sslgraph: Command) -> None:
    first, second, *_ = sslgraph("explain", *words).out.splitlines()
    assert (first, second.split(maxsplit=1)) == (f"{words[1]}: {value}", ["from", origin])


def test_a_base_and_an_augmentation_are_named_by_file_and_line(sslgraph: Command) -> None:
    base = catalogue.file_of("recipes", "demo/base")
    assert f"from      recipe, {base}:{line_of(base, 'batch:')}\n" in sslgraph("explain", "demo/byol", "batch").out
    augmentation = catalogue.file_of("augmentations", "simclr")
    said = sslgraph("explain", "simclr", "views.x.jitter.brightness").out
    assert re.search(rf"from      augmentation, {re.escape(str(augmentation))}:\d+\n", said), said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("simclr", "nets.f.nrm"), "backbones.resnet has no setting 'nrm'; did you mean 'norm'?"),
        (("simclr", "nets.q.out"), "'nets' has no 'q'\n  there are: f, g"),
        (("simclr", "epochs"), "no path begins with 'epochs'\n  there are: after_step,"),
        (("simclr",), "explain simclr: add the path of a value, such as losses.info.temperature"),
        (("SG999",), "there is no rule 'SG999'"),
        (("simclrr", "epochs"), "there is no recipe or method 'simclrr'"),
    ],
)
def test_what_is_not_there_is_refused_with_what_there_is(
    words: tuple[str, ...], message: str, sslgraph: Command
) -> None:
    said = sslgraph("explain", *words)
    assert said.code == 1 and said.out == "" and said.err.startswith(message), said.err


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.number)
def test_every_rule_of_the_linter_is_explained(rule: object, sslgraph: Command) -> None:
    number, sentence, source = rule.number, rule.sentence, rule.source  # type: ignore[attr-defined]
    said = sslgraph("explain", number)
    assert said.code == 0 and said.out.startswith(f"{number}: {sentence}\n  known from  {source}\n")


def test_nearly_every_setting_of_a_part_is_described_where_it_can_be_read() -> None:
    lacking = [
        f"{use}.{name}"
        for use in registry.catalogue()
        if not use.startswith("sources.")  # what sources share is described once, in their base
        for name in registry.signature(use).settings
        if name not in registry.signature(use).meanings
    ]
    assert lacking == []
