"""The formula in a docstring as mathematics."""

from __future__ import annotations

import pytest
from test_layout import shipped

from sslgraph.drawing import picture, svg
from sslgraph.drawing.elements.formulas import formula_of, typeset, typeset_lines
from sslgraph.drawing.elements.measure import NOTE, known_letters, runs_width
from sslgraph.drawing.figure.said import with_equation
from sslgraph.errors import SslgraphError
from sslgraph.parts import registry

DOC = """Correlation.

With C[i, j] that of feature i with feature j:

    loss = sum_i (1 - C[i, i])^2  +  redundancy * sum_{i != j} C[i, j]^2,     C = a.b
           / 2

Zero at best.

Settings:
    redundancy: a weight.
"""


def said(formula: str) -> str:
    marks = {(True, False): "/{}/", (False, True): "_{{{}}}", (False, False): "{}"}
    return "".join(marks[run.is_italic, run.is_sub].format(run.text) for run in typeset(formula))


def test_a_formula_is_set_in_by_four_letters_and_ends_before_the_settings() -> None:
    assert formula_of(DOC).split("\n") == [
        "loss = sum_i (1 - C[i, i])^2  +  redundancy * sum_{i != j} C[i, j]^2",
        "C = a.b  / 2",
    ]
    assert formula_of("No formula.\n\nSettings:\n    a: b") == ""


@pytest.mark.parametrize(
    ("formula", "shown"),
    [
        ("loss = sum_i (1 - C[i, i])^2", "/L/ = Σ_{i} (1 − /C/_{i, i})²"),
        ("redundancy * sum_{i != j} C[i, j]^2", "/λ/ · Σ_{i ≠ j} /C/_{i, j}²"),
        ("loss = mean over the batch of  - p.t / |p|", "/L/ = mean over the batch of − /p/·/t/ / |/p/|"),
        ("softmax(student[s] / student_temperature)", "softmax(student_{s} / /τ/_{student})"),
    ],
)
def test_sums_indices_powers_and_greek_letters(formula: str, shown: str) -> None:
    assert said(formula) == shown


def test_every_shipped_formula_has_letters_and_fits_a_column() -> None:
    docs = [registry.signature(name).doc for name in registry.catalogue("losses")]
    lines = [line for doc in docs for line in formula_of(doc).split("\n") if line]
    assert len(lines) > 25
    letters = {letter for line in lines for run in typeset(line) for letter in run.text}
    assert letters <= known_letters()
    assert all(runs_width(runs, NOTE) < 480 for line in lines for runs in typeset_lines(line, 330.0, NOTE))


def test_the_equation_stands_below_the_picture_or_it_is_said_that_there_is_none() -> None:
    drawn = picture(shipped("barlow_twins"))
    text = svg(with_equation(drawn))
    assert ">λ</tspan>" in text and "Σ" in text and "Σ" not in svg(drawn)
    with pytest.raises(SslgraphError, match="no docstring has a formula here"):
        with_equation(drawn.with_panels(()))
