"""$references copy values, and only values."""

from pathlib import Path

import pytest

from sslgraph.errors import Fault
from sslgraph.read.compose.references import dereferenced
from sslgraph.read.document import read_text
from sslgraph.read.located import Value


def copied(text: str) -> tuple[Value, list[Fault]]:
    faults: list[Fault] = []
    return dereferenced(read_text(text, Path("a.yaml")).root, faults), faults


def test_a_reference_is_replaced_by_the_value_it_names() -> None:
    value, faults = copied("ops: {k: {n: 3, m: [1, $ops.k.n]}}\nnets: {f: {out: $ops.k.n, all: $ops.k.m}}")
    assert not faults
    assert value.plain == {"ops": {"k": {"n": 3, "m": [1, 3]}}, "nets": {"f": {"out": 3, "all": [1, 3]}}}


def test_the_copy_stands_where_the_reference_is_written() -> None:
    value, _ = copied("a: 1\nb: $a")
    assert str(value.nearest(("b",)).place) == "a.yaml:2:4"


def test_weights_name_an_artefact_and_stay() -> None:
    value, faults = copied("nets: {f: {weights: $tokenizer}}")
    assert (value.plain, faults) == ({"nets": {"f": {"weights": "$tokenizer"}}}, [])


def test_a_reference_to_nothing_is_refused_with_what_there_is() -> None:
    _, faults = copied("ops: {kmeans: {k: 3}}\nb: $ops.kmean.k")
    assert str(faults[0]) == "a.yaml:2:4: 'ops' has no 'kmean'\n  there are: kmeans\n  did you mean 'kmeans'?"


@pytest.mark.parametrize("text", ["a: $a", "a: $b\nb: $a", "a: {b: $a}", "a: [$b]\nb: {c: $a.0}"])
def test_a_reference_that_comes_back_to_itself_is_refused(text: str) -> None:
    _, faults = copied(text)
    assert "comes back to itself" in faults[0].problem


def test_references_that_multiply_without_bound_are_refused() -> None:
    lines = ["a0: [x, x, x, x, x, x, x, x, x, x]", *(f"a{i}: [{', '.join([f'$a{i - 1}'] * 10)}]" for i in range(1, 9))]
    _, faults = copied("\n".join(lines))
    assert any("copy more than 20000 values" in fault.problem for fault in faults)
