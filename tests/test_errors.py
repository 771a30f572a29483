"""Messages: where, what, what there is, what to do."""

import pytest

from sslgraph.errors import (
    Column,
    Fault,
    Path,
    Place,
    SpecError,
    SslgraphError,
    nearest,
    placed,
    refusal,
    under,
    unknown,
)


def test_a_fault_says_where_what_what_there_is_and_what_to_do() -> None:
    fault = Fault(
        Place("dino.yaml", 14, 27), "node 'loss' asks for 'haed'", ("head", "teacher"), "did you mean 'head'?"
    )
    assert (
        str(fault) == "dino.yaml:14:27: node 'loss' asks for 'haed'\n  there are: head, teacher\n  did you mean 'head'?"
    )


def test_a_place_without_a_line_is_the_file() -> None:
    assert str(Place("a.yaml")) == "a.yaml"
    assert str(Fault((), "no place")) == "no place"


def test_faults_come_in_the_order_of_their_places() -> None:
    faults = [
        Fault(Place("a", 12), "third"),
        Fault(Place("a", 2, 9), "second"),
        Fault(Place("a", 2, 1), "first"),
        Fault((), "before"),
    ]
    assert [fault.problem for fault in SpecError(faults).faults] == ["before", "first", "second", "third"]


def test_an_unknown_name_comes_with_the_nearest() -> None:
    fault = unknown((), "node 'z' reads", "haed", ["teacher", "head"])
    assert (fault.there_are, fault.cure) == (("head", "teacher"), "did you mean 'head'?")
    assert nearest("xyz", ["head"]) is None
    assert nearest("HAED", ["head", "Teacher"]) == "head" and nearest("teacher", ["head", "Teacher"]) == "Teacher"
    assert unknown((), "a", "xyz", ["head"]).cure == ""
    parts = ["wiring.transpose", "wiring.l2", "losses.info_nce"]
    assert nearest("wiring.noise", parts) is None and nearest("wiring.transposed", parts) == parts[0]
    assert nearest("wiring.info_nce", parts) == nearest("loss.info_nce", parts) == "losses.info_nce"


def test_a_refusal_is_one_fault_that_a_user_can_mend() -> None:
    error = refusal(Place("a.yaml"), "the file is empty", "write something", ["this", "that"])
    assert isinstance(error, SslgraphError)
    assert str(error) == "a.yaml: the file is empty\n  there are: this, that\n  write something"


def test_a_path_grows_by_the_steps_above_it_and_its_place_is_looked_up_once() -> None:
    places = {("losses", "info", "of"): Place("a.yaml", 7, 3)}
    asked: list[Path] = []

    def look_up(path: Path) -> Place | None:
        asked.append(path)
        return places.get(path)

    with pytest.raises(SpecError) as caught, placed(look_up), under("losses"), under("info"):
        raise refusal(("of",), "odd")
    assert str(caught.value) == "a.yaml:7:3: odd" and asked == [("losses", "info", "of")]


def test_a_fault_without_a_place_says_its_path() -> None:
    with pytest.raises(SpecError, match=r"^losses\.info: odd$"), under("losses", "info"):
        raise SslgraphError("odd")


def test_a_fault_that_has_a_place_keeps_it() -> None:
    with pytest.raises(SpecError, match=r"^b.yaml:2:1: odd$"), placed(lambda _: Place("a.yaml", 1, 1)), under("nets"):
        raise refusal(Place("b.yaml", 2, 1), "odd")


def test_a_column_inside_an_expression_is_added_to_its_place() -> None:
    fault = Fault(("flow", "z", Column(4)), "odd")
    assert str(fault) == "flow.z: odd"
    assert fault.placed(lambda _: Place("a.yaml", 9, 6)).at == Place("a.yaml", 9, 10)
    assert fault.placed(lambda _: Place("--set flow.z")).at == Place("--set flow.z")


def test_faults_are_sorted_once_their_places_are_known() -> None:
    lines = {("b",): Place("a", 1), ("a",): Place("a", 2)}
    with pytest.raises(SpecError) as caught, placed(lines.get):
        raise SpecError([Fault(("a",), "second"), Fault(("b",), "first")])
    assert [fault.problem for fault in caught.value.faults] == ["first", "second"]


def test_thousands_of_faults_and_names_are_counted_and_not_listed() -> None:
    names = [f"name{number}" for number in range(3000)]
    faults = [unknown(Place("a.yaml", line), "there is no value", "nme1", names) for line in range(1, 3001)]
    said = str(SpecError(faults)).splitlines()
    assert said[0] == "a.yaml:1:0: there is no value 'nme1'" and said[-1] == "and 2,980 more faults"
    assert said[1].endswith(" and 2,940 more") and len(said) == 2 * 20 + 1
    assert nearest("Name7", names) == "name7"  # of so many, one that differs in its case
