"""Messages: where, what, what there is, what to do."""

from sslgraph.errors import Fault, Place, SpecError, SslgraphError, nearest, refusal, unknown


def test_a_fault_says_where_what_what_there_is_and_what_to_do() -> None:
    fault = Fault(
        Place("dino.yaml", 14, 27), "node 'loss' asks for 'haed'", ("head", "teacher"), "did you mean 'head'?"
    )
    assert (
        str(fault) == "dino.yaml:14:27: node 'loss' asks for 'haed'\n  there are: head, teacher\n  did you mean 'head'?"
    )


def test_a_place_without_a_line_is_the_file() -> None:
    assert str(Place("a.yaml")) == "a.yaml"
    assert str(Fault(None, "no place")) == "no place"


def test_faults_come_in_the_order_of_their_places() -> None:
    faults = [
        Fault(Place("a", 12), "third"),
        Fault(Place("a", 2, 9), "second"),
        Fault(Place("a", 2, 1), "first"),
        Fault(None, "before"),
    ]
    assert [fault.problem for fault in SpecError(faults).faults] == ["before", "first", "second", "third"]


def test_an_unknown_name_comes_with_the_nearest() -> None:
    fault = unknown(None, "node 'z' reads", "haed", ["teacher", "head"])
    assert (fault.there_are, fault.cure) == (("head", "teacher"), "did you mean 'head'?")
    assert nearest("xyz", ["head"]) is None
    assert unknown(None, "a", "xyz", ["head"]).cure == ""


def test_a_refusal_is_one_fault_that_a_user_can_mend() -> None:
    error = refusal(Place("a.yaml"), "the file is empty", "write something", ["this", "that"])
    assert isinstance(error, SslgraphError)
    assert str(error) == "a.yaml: the file is empty\n  there are: this, that\n  write something"
