"""YAML 1.2 core: what plain scalars mean, and what a spec may not hold."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sslgraph.errors import SpecError
from sslgraph.read.yaml_12 import DEPTH, parse


def read(text: str) -> Any:
    value = parse(text, "a.yaml")
    return value.plain if value else None


def message(text: str) -> str:
    with pytest.raises(SpecError) as caught:
        parse(text, "a.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    "text, value",
    [
        ("1e-4", 1e-4),
        ("1.", 1.0),
        (".5", 0.5),
        ("-1E+2", -100.0),
        ("010", 10),
        ("-7", -7),
        ("true", True),
        ("False", False),
        ("", None),
        ("~", None),
        ("null", None),
        ("[]", []),
        ("{}", {}),
    ],
)
def test_scalars_mean_what_yaml_1_2_core_says(text: str, value: Any) -> None:
    found = read(f"a: {text}")["a"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        "on",
        "off",
        "yes",
        "no",
        "y",
        "NO",
        "1:30",
        "2020-01-01",
        "0x10",
        "0o17",
        "0b1",
        "1_000",
        "tRue",
        "nan",
        "inf",
        "=",
        "1e",
        "e5",
        ".",
    ],
)
def test_what_yaml_1_1_would_convert_stays_text(text: str) -> None:
    assert read(f"a: {text}") == {"a": text}
    assert read(f"{text}: a") == {text: "a"}


def test_quoted_scalars_are_text() -> None:
    assert read("""{a: '1', b: "true", c: ''}""") == {"a": "1", "b": "true", "c": ""}


def test_every_value_and_every_key_has_its_place() -> None:
    value = parse("a:\n  - b: 1\n", "a.yaml")
    assert value is not None
    inner = value.nearest(("a", 0, "b"))
    assert (str(inner.place), str(inner.key)) == ("a.yaml:2:8", "a.yaml:2:5")


def test_an_alias_is_read_like_the_value_it_names() -> None:
    assert read("a: &x [1, 2]\nb: *x") == {"a": [1, 2], "b": [1, 2]}


def test_a_key_that_stands_twice_is_refused_with_both_places() -> None:
    assert message("a: 1\nb: 2\na: 3") == "a.yaml:3:1: the key 'a' is given twice; the first is at a.yaml:1:1"


def test_all_faults_come_at_once_in_the_order_of_their_places() -> None:
    lines = [
        line for line in message("a: 1\na: 2\n<<: {b: 1}\n1: c\nd: .inf").splitlines() if line.startswith("a.yaml")
    ]
    assert [line.split(":")[1] for line in lines] == ["2", "3", "4", "5"]


@pytest.mark.parametrize(
    "text, said",
    [
        ("a:\n\tb: 1", "a.yaml:2:1: there is a tab here"),
        ("a: !!python/name:os.system x", "a.yaml:1:4: a value has the tag"),
        ("a: ! x", "a.yaml:1:4: a value has the tag !"),
        ("<<: {a: 1}", "a.yaml:1:1: merge keys (<<) are not read"),
        ("a: 1\n---\nb: 2", "a.yaml:2:1: a second document begins here"),
        ("a: [1", "a.yaml:1:6: this is not YAML"),
        ("a: [z[0], z[1]]", "a.yaml:1:6: there is a list in a list\n  name the view in flow: (p0: z[0])"),
        ("a: b: c", "a.yaml:1:5: there is a ':' where no key can be"),
        ("a: *b", "undefined alias 'b'"),
        ("a: \x07", "a.yaml:1:4: the character U+0007 can't be in a text"),
        ("a: 1e999", "a.yaml:1:4: '1e999' is not a finite number"),
        ("a: 9223372036854775808", "is not a finite number of 64 bits"),
        ("a: .nan", "'.nan' is not a finite number"),
        ("? [a]\n: 1", "a key must be a name"),
        ('a: "\\ud800"', "half a character"),
        ("true: 1", "a.yaml:1:1: a key must be a name"),
    ],
)
def test_what_a_spec_may_not_hold_is_refused_where_it_stands(text: str, said: str) -> None:
    assert said in message(text)


@pytest.mark.parametrize("text", ["a: [q, g(b, c)]", "a: {z: f(x, y)}"])
def test_the_comma_of_a_call_in_a_flow_list_is_explained(text: str) -> None:
    assert "the comma of a call ends it here" in message(text)
    assert "write the call in quotes" in message(text)


def test_brackets_in_quotes_and_in_plain_lines_are_left_alone() -> None:
    assert read("a: ['f(', x]\nb: see (1\nc: f(x, y)") == {"a": ["f(", "x"], "b": "see (1", "c": "f(x, y)"}


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [*a]",
        "[" * (DEPTH + 1) + "]" * (DEPTH + 1),
        "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 9)),
    ],
    ids=["itself", "deep", "bomb"],
)
def test_a_text_that_grows_out_of_bounds_is_refused(text: str) -> None:
    assert "more than 20000 values or is nested deeper than 50" in message(text)


@given(st.text(alphabet="ab1.-+e:,[]{}&*!|>'\"#%@`? \n\t\r$~<=_\u2028\ufeff\x00é", max_size=60))
@example("a: 'b\n\nc'")
@example("%YAML 1.1\n---\na")
@example("- ? a\n-")
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse(text, "a.yaml")
    except SpecError as refused:
        assert all(fault.place for fault in refused.faults)


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(10**6), 10**6)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(min_codepoint=32, max_codepoint=126) | st.sampled_from("éß→💧"), max_size=8),
        lambda inner: st.lists(inner, max_size=3),
        max_leaves=5,
    )
)
def test_what_json_writes_is_read_as_the_same_values(value: Any) -> None:
    assert read(json.dumps({"a": value}, ensure_ascii=False)) == {"a": value}
