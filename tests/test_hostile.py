"""Texts that were made to break the reader: each is a fault or a graph, soon, and never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sslgraph import home
from sslgraph.checked import wired
from sslgraph.errors import SslgraphError
from sslgraph.lint import lint
from sslgraph.pipelines.check import check
from sslgraph.read import catalogue
from sslgraph.read.document import read_text
from sslgraph.read.load import load_method, method_of, pipeline_of, recipe_of
from sslgraph.read.loaded import method_in
from sslgraph.wire.expressions import parse
from sslgraph.wire.refuse import refuse
from sslgraph.wire.wire import wire

HEAD = "method: m\nviews: {x: {augment: simclr}}\nnets: {f: {use: backbones.resnet}}\nexport: f\n"
SHIPPED = [
    catalogue.file_of(kind, name).read_text(encoding="utf-8")  # type: ignore[arg-type]
    for kind in ("methods", "recipes", "augmentations")
    for name in catalogue.names(kind)  # type: ignore[arg-type]
]
WORDS = sorted({word for text in SHIPPED for word in text.replace("{", " ").replace("}", " ").split()})
SECONDS = 5.0  # a bound on a busy machine; alone every case takes well under one
QUICK, LONG = 150, 10_000


def outcome(text: str) -> str:
    """What reading comes to: "graph" or "fault"; anything else passes through as itself."""
    start = time.process_time()
    try:
        document = read_text(text, home.SPECS / "methods" / "hostile.yaml")
        if document.kind == "method":
            method = method_of(document)
            graph = wire(method.spec, method.place)
            refuse(graph)
            lint(graph)
        elif document.kind == "recipe":
            recipe = recipe_of(document)
            wired(method_in(recipe))
            check.numbers(recipe)
        elif document.kind == "pipeline":
            pipeline_of(document)
        result = "graph"
    except SslgraphError as fault:
        assert str(fault).strip(), "a fault says something"
        result = "fault"
    assert time.process_time() - start < SECONDS
    return result


def expression_outcome(text: str) -> str:
    start = time.process_time()
    try:
        parse(text)
        result = "graph"
    except SslgraphError:
        result = "fault"
    assert time.process_time() - start < SECONDS
    return result


expressions = st.one_of(
    st.text(max_size=80),
    st.text(alphabet="abfgx_.,()[]{}:=*+-'\"\\ \n#0123456789é\0λ!@lambdifoelsn", max_size=120),
    st.recursive(
        st.sampled_from(["x", "f", "queue.read", "1", "", "*x", "a=b", "'t'"]),
        lambda inner: st.one_of(
            st.builds("{}({})".format, inner, inner), st.builds("{}.{}".format, inner, inner),
            st.lists(inner, max_size=4).map(lambda items: f"g({', '.join(items)})"),
        ),
        max_leaves=40,
    ),
)  # fmt: skip
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.sampled_from(WORDS))
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(WORDS), st.text(max_size=8)), inner, max_size=5),
    ),
    max_leaves=25,
)
SECTIONS = [
    "method", "views", "nets", "targets", "state", "ops", "flow", "losses", "after_step", "phases", "export", "recipe",
    "data", "optimizer", "steps", "batch", "extends", "set", "replace", "remove", "pipeline", "stages", "augmentation",
]  # fmt: skip


@st.composite
def mutated(draw: Callable[[st.SearchStrategy[Any]], Any]) -> str:
    """A shipped text with a few lines lost, doubled, swapped or rewritten: nearly right, which is the hardest."""
    lines = draw(st.sampled_from(SHIPPED)).splitlines()
    for _ in range(draw(st.integers(1, 5))):
        at = draw(st.integers(0, len(lines) - 1))
        what = draw(st.sampled_from(["lose", "double", "word", "cut", "indent", "swap", "value"]))
        if what == "lose" and len(lines) > 1:
            del lines[at]
        elif what == "double":
            lines.insert(at, lines[at])
        elif what == "cut":
            lines[at] = lines[at][: draw(st.integers(0, max(len(lines[at]), 1)))]
        elif what == "indent":
            lines[at] = " " * draw(st.integers(0, 6)) + lines[at].lstrip()
        elif what == "swap":
            other = draw(st.integers(0, len(lines) - 1))
            lines[at], lines[other] = lines[other], lines[at]
        elif what == "value":
            key = lines[at].partition(":")[0]
            lines[at] = f"{key}: {yaml.safe_dump(draw(values), default_flow_style=True, width=1e9).strip()}"
        else:
            words = lines[at].split(" ")
            words[draw(st.integers(0, len(words) - 1))] = draw(st.sampled_from(WORDS))
            lines[at] = " ".join(words)
    return "\n".join(lines)


made = st.dictionaries(st.sampled_from(SECTIONS), values, min_size=1).map(lambda data: yaml.safe_dump(data))
texts = st.one_of(mutated(), mutated(), made, st.text(max_size=300))
quick = settings(max_examples=QUICK, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
long = settings(max_examples=LONG, deadline=None, suppress_health_check=list(HealthCheck))


@quick
@given(expressions)
def test_any_text_is_an_expression_or_a_fault(text: str) -> None:
    assert expression_outcome(text) in ("graph", "fault")


@quick
@given(texts)
def test_any_text_is_a_spec_or_a_fault(text: str) -> None:
    assert outcome(text) in ("graph", "fault")


@pytest.mark.slow
@long
@given(expressions)
def test_ten_thousand_texts_are_expressions_or_faults(text: str) -> None:
    assert expression_outcome(text) in ("graph", "fault")


@pytest.mark.slow
@long
@given(texts)
def test_ten_thousand_texts_are_specs_or_faults(text: str) -> None:
    assert outcome(text) in ("graph", "fault")


def chain(length: int, *, backwards: bool) -> str:
    names = [f"  a{i}: l2(a{i - 1})\n" for i in range(1, length)]
    flow = [*reversed(names), "  a0: f(x)\n"] if backwards else ["  a0: f(x)\n", *names]
    return HEAD + "flow:\n" + "".join(flow) + f"losses: {{c: {{use: losses.nt_xent, of: [a{length - 1}]}}}}\n"


BOMB = "a0: &a0 [x,x,x,x,x,x,x,x]\n" + "".join(f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (chain(10_000, backwards=False), "more than 20000 values"),
        (chain(5_000, backwards=False), "the flow has more than 300 values"),
        (chain(500, backwards=True), "calls are nested deeper than 60"),
        (HEAD + f"flow: {{a: {'f.' * 900}x}}\n", "calls are nested deeper than 60"),
        (HEAD + f"flow: {{a: {'l2(' * 70}x{')' * 70}}}\n", "calls are nested deeper than 60"),
        (HEAD + "flow:\n" + "".join(f"  a{i}: l2(f(x))\n" for i in range(3000)), "the method has no loss"),
        ("method: m\n" + BOMB, "aliases written out"),
        ("method: &a [*a]\n", "aliases written out"),
        ("method: " + "[" * 100_000, "nested deeper than 50 levels"),
        ("method: !!python/object/apply:os.system ['true']\n", "the tag tag:yaml.org,2002:python/object/apply"),
        ("method: !!binary aGk=\n", "the tag tag:yaml.org,2002:binary"),
        ("method: " + "9" * 900_000, "is not a finite number of 64 bits"),
        ("method: m\n" + "".join(f"k{i}: 1\n" for i in range(60_000)), "more than 20000 values"),
    ],
    ids=lambda value: value[:20] if len(value) < 60 else str(len(value)),
)  # fmt: skip
def test_bombs_are_refused_in_bounded_time(text: str, says: str) -> None:
    start = time.process_time()
    with pytest.raises(SslgraphError, match=says.replace("(", r"\(")):
        document = read_text(text, Path("bomb.yaml"))
        refuse(wire(method_of(document).spec))
    assert time.process_time() - start < SECONDS


def test_a_file_of_a_hundred_megabytes_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "big.yaml").open("wb") as file:
        file.truncate(100_000_000)
    start = time.process_time()
    with pytest.raises(SslgraphError, match="larger than 1 MiB, so it is no spec"):
        load_method(tmp_path / "big.yaml")
    assert time.process_time() - start < 0.5


def test_a_file_beside_a_spec_that_is_named_like_a_library_is_not_run(tmp_path: Path) -> None:
    for name in ("numpy", "torch", "PIL", "colorsys"):
        (tmp_path / f"{name}.py").write_text("import pathlib\npathlib.Path('ran').touch()\n")
    # -P is how a command that is not called by `python -m` starts: without the folder it stands in.
    command = [sys.executable, "-P", "-m", "sslgraph", "check", "simclr"]
    environment = {**os.environ, "PYTHONPATH": str(home.ROOT)}
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300, env=environment
    )
    assert done.returncode == 0 and not (tmp_path / "ran").exists(), done.stderr


def test_a_spec_runs_no_code_that_it_brings_along(tmp_path: Path) -> None:
    (tmp_path / "evil.py").write_text("import pathlib\npathlib.Path('ran').touch()\nclass Net: pass\n")
    text = HEAD.replace("backbones.resnet", "'evil:Net'") + "losses: {c: {use: losses.nt_xent, of: [f(x)]}}\n"
    (tmp_path / "m.yaml").write_text(text)
    command = [sys.executable, "-m", "sslgraph", "check", "m.yaml"]
    environment = {**os.environ, "PYTHONPATH": str(home.ROOT)}
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300, env=environment
    )
    assert (
        done.returncode == 1 and "a spec must not run code by itself" in done.stderr and "Traceback" not in done.stderr
    )
    assert not (tmp_path / "ran").exists()
