"""The right-hand sides of a spec: names, ports and calls; all else that Python can say is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslgraph.errors import Column, Place, SpecError
from sslgraph.wire.expressions import Call, Field, Member, Name, parse


def test_an_expression_is_names_ports_and_calls() -> None:
    assert parse("g(f(x).map, m.keep)") == Call(
        Name("g"), (Field(Call(Name("f"), (Name("x"),)), "map"), Field(Name("m"), "keep"))
    )
    assert parse("queue.read") == Field(Name("queue"), "read")
    assert parse("labels.read(x.index)") == Call(Field(Name("labels"), "read"), (Field(Name("x"), "index"),))
    assert parse("enc(x, replace=m.hidden)") == Call(
        Name("enc"), (Name("x"),), (("replace", Field(Name("m"), "hidden")),)
    )
    assert parse("h(z[0]).map") == Field(Call(Name("h"), (Member(Name("z"), 0),)), "map")


NAMES = st.sampled_from(["x", "f", "queue", "z1"])
EXPRESSIONS = st.recursive(
    NAMES.map(Name),
    lambda inner: (
        st.builds(Field, inner, NAMES)
        | st.builds(Member, inner, st.integers(0, 12))
        | st.builds(
            Call,
            NAMES.map(Name),
            st.lists(inner, max_size=3).map(tuple),
            st.dictionaries(NAMES, inner, max_size=2).map(lambda named: tuple(named.items())),
        )
    ),
    max_leaves=8,
)


@given(EXPRESSIONS)
@settings(max_examples=60, deadline=None, database=None)
def test_what_is_printed_reads_back_as_itself(expression: Name | Field | Call) -> None:
    assert parse(str(expression)) == expression


@given(st.text(alphabet="xfz.()[],+-*0 1\"':=\n\t\0lambda", max_size=30))
@settings(max_examples=200, deadline=None, database=None)
def test_any_text_is_read_or_refused_in_our_words(text: str) -> None:
    try:
        parse(text)
    except SpecError as refused:
        assert refused.faults


@pytest.mark.parametrize(
    ("text", "problem", "cure"),
    [
        ("f(x, 3)", "a number or a text (3) can't be part of an expression", "write it as a setting of the part"),
        ("f('x')", "a number or a text ('x') can't be part of an expression", "write it as a setting of the part"),
        ("True", "a number or a text (True) can't be part of an expression", "write it as a setting of the part"),
        ("f(x, size=3)", "a number or a text (3) can't be part of an expression", "write it as a setting of the part"),
        ("a + b", "'a + b' is not a name, a port or a call", "arithmetic is done by parts"),
        ("f(-x)", "'-x' is not a name, a port or a call", "arithmetic is done by parts"),
        ("x[-1]", "'x[-1]' names no view of a bag", "views count from 0: z[0], z[1]"),
        ("x[0:2]", "'x[0:2]' names no view of a bag", "a part gives several"),
        ("x[y]", "'x[y]' names no view of a bag", "views count from 0"),
        ("x[True]", "'x[True]' names no view of a bag", "views count from 0"),
        ("f(x)[0.5]", "'f(x)[0.5]' names no view of a bag", "views count from 0"),
        ("f(*x)", "'f(*x)' has a star, but a call names each of its values", "write f(a, b), or f(a, port=b)"),
        ("f(**x)", "'f(**x)' has a star", "write f(a, b), or f(a, port=b)"),
        ("lambda: x", "'lambda: x' is not a name", "arithmetic is done by parts"),
        ("x; y", "'x; y' can't be read as an expression", "write names, ports and calls"),
        (
            "f(x",
            "'f(x' can't be read as an expression",
            "its brackets don't match; in a list [a, g(b, c)] YAML splits at every comma",
        ),
        ("", "expected an expression, got ''", "write names and calls"),
        ("  ", "expected an expression, got '  '", "write names and calls"),
        ("f(" * 900 + ")" * 900, "an expression of 2700 characters is too long", "name its parts in flow:"),
        ("f(" * 400 + "x" + ")" * 400, "can't be read as an expression", "write names"),
    ],
)
def test_what_else_python_can_say_is_refused(text: str, problem: str, cure: str) -> None:
    with pytest.raises(SpecError) as refused:
        parse(text)
    (fault,) = refused.value.faults
    assert problem in fault.problem and cure in fault.cure


def test_a_number_where_text_should_stand_is_refused() -> None:
    with pytest.raises(SpecError, match="expected an expression, got 3"):
        parse(3)  # type: ignore[arg-type]


def test_a_fault_points_at_its_column() -> None:
    with pytest.raises(SpecError, match=r"^flow.z: a number or a text \(3\)") as refused:
        parse("f(x, 3)", ("flow", "z"))
    (fault,) = refused.value.faults
    assert fault.at == ("flow", "z", Column(5))
    assert fault.placed(lambda _: Place("spec.yaml", 4, 9)).at == Place("spec.yaml", 4, 14)
