"""Changes of a method's structure: calls close up, what nothing reads goes with it, and nothing else changes."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from sslgraph import home
from sslgraph.errors import SslgraphError
from sslgraph.pipelines.search.structure import changed, said, shape_fault
from sslgraph.read import catalogue
from sslgraph.read.document import read_text
from sslgraph.read.load import load_method, method_of
from sslgraph.read.resolved import flat, resolved
from sslgraph.wire.expressions import Name, parse
from sslgraph.wire.refuse import refuse
from sslgraph.wire.wire import wire


def text(method: str) -> dict[str, Any]:
    return dict(flat(load_method(method).spec))


def refuse_unsound(method: dict[str, Any]) -> None:
    """Wires the text and refuses all that is never meant."""
    loaded = method_of(read_text(yaml.safe_dump(method, sort_keys=False), home.SPECS / "text.yaml"))
    refuse(wire(loaded.spec, loaded.place))


def test_a_predictor_that_is_left_out_is_left_out_of_the_calls() -> None:
    byol = text("byol")
    found = changed(byol, {"remove": "nets.q"})
    assert found["flow"] == {"p1": "g(f(x1))", "p2": "g(f(x2))", "t1": "gt(ft(x1))", "t2": "gt(ft(x2))"}
    assert list(found["nets"]) == ["f", "g"] and "picture" not in found
    byol.pop("picture")
    assert {**found, "nets": 0, "flow": 0} == {**byol, "nets": 0, "flow": 0}
    refuse_unsound(found)


def test_the_slow_copy_of_a_net_goes_with_it() -> None:
    found = changed(text("byol"), {"remove": ["nets.g"]})
    assert found["flow"] == {"p1": "q(f(x1))", "p2": "q(f(x2))", "t1": "ft(x1)", "t2": "ft(x2)"}
    assert list(found["targets"]) == ["ft"]
    refuse_unsound(found)


def test_in_the_place_of_a_slow_copy_stands_its_net_without_its_gradient() -> None:
    """BYOL without its momentum encoder is SimSiam's flow: the same nets, and a stop-gradient."""
    found = changed(text("byol"), {"remove": "targets.*"})
    assert found["flow"]["t1"] == "stopgrad(g(stopgrad(f(x1))))" and found["targets"] == {}
    refuse_unsound(found)


def test_without_its_stop_gradient_simsiam_compares_the_values_themselves() -> None:
    found = changed(text("simsiam"), {"stopgrad": "off"})
    assert (found["flow"]["t1"], found["flow"]["t2"]) == ("z1", "z2")
    refuse_unsound(found)
    with pytest.raises(SslgraphError, match="no line of the flow stops a gradient"):
        changed(text("byol"), {"stopgrad": "off"})


def test_a_loss_that_is_swapped_in_takes_the_inputs_and_what_only_the_old_one_read_goes() -> None:
    found = changed(text("moco_v2"), {"swap": {"losses.*": "losses.cosine_regression"}})
    assert found["losses"] == {"info": {"use": "losses.cosine_regression", "of": ["q", "k"]}}
    assert found["state"] == {} and found["after_step"] == []
    refuse_unsound(found)
    warm = changed(text("moco_v2"), {"swap": {"losses.info": {"temperature": 0.5}}})
    assert warm["losses"]["info"] == {**text("moco_v2")["losses"]["info"], "temperature": 0.5}


def test_a_swapped_in_part_keeps_the_settings_that_suit_it_too() -> None:
    found = changed(text("byol"), {"swap": {"nets.q": "heads.linear"}})
    assert found["nets"]["q"] == {"use": "heads.linear", "out": 256, "norm": "batch"}  # its bias is true or false
    refuse_unsound(found)


def test_a_removed_loss_takes_its_lines_with_it() -> None:
    found = changed(text("byol"), {"remove": "losses.two"})
    assert list(found["flow"]) == ["p1", "t2"]
    refuse_unsound(found)


@pytest.mark.parametrize(
    ("method", "change", "message"),
    [
        ("byol", {"remove": "nets.predictor"}, "remove: nets has no 'predictor'"),
        ("byol", {"remove": "q"}, "there is no section 'q'"),
        ("byol", {"swap": {"losses.one": "losses.cosine_regresion"}}, "did you mean 'losses.cosine_regression'"),
        ("mae", {"remove": "nets.dec"}, "takes several values"),
    ],
)
def test_what_has_no_place_is_refused(method: str, change: dict[str, Any], message: str) -> None:
    with pytest.raises(SslgraphError) as refused:
        changed(text(method), change)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"drop": "nets.q"}, "there is no change 'drop'"),
        ({"remove": {"nets": "q"}}, "remove: takes a path"),
        ({"swap": "losses.one"}, "swap: takes a mapping"),
        ({"stopgrad": "on"}, "stopgrad: takes off"),
        ({}, "a change is empty"),
    ],
)
def test_the_form_of_a_change_is_looked_at(change: dict[str, Any], message: str) -> None:
    assert message in shape_fault(change)


def test_changes_in_words() -> None:
    assert said({"remove": ["nets.q", "nets.g"]}) == "without nets.q; without nets.g"
    assert (
        said({"swap": {"losses.*": {"use": "losses.vicreg", "weight": 2}}}) == "losses.* is losses.vicreg (weight: 2)"
    )
    assert said({"stopgrad": "off", "set": {"nets.g.out": 8}}) == "without stopgrad; nets.g.out = 8"


@pytest.mark.parametrize("name", catalogue.names("methods"))
def test_of_a_net_that_is_left_out_no_line_of_any_method_says_a_word(name: str) -> None:
    """A law over all shipped methods: net and copies are gone from every expression, or the change is refused."""
    method = text(name)
    for net in method["nets"]:
        copies = {net, *(t for t, target in method.get("targets", {}).items() if target.get("ema_of") == net)}
        try:
            found = changed(method, {"remove": f"nets.{net}"})
        except SslgraphError as refused:
            assert "takes several values" in str(refused)
            continue
        lines = [line for leg in (found, *found.get("phases", [])) for line in leg.get("flow", {}).values()]
        assert not copies & {word for line in lines for word in _called(parse(line))}, (net, lines)
        assert text(name) == method  # the text that was given is as it was


def _called(expression: Any) -> list[str]:
    if isinstance(expression, Name):
        return []
    inner = [*getattr(expression, "arguments", ()), *(value for _, value in getattr(expression, "named", ()))]
    own = [expression.function.text] if isinstance(getattr(expression, "function", None), Name) else []
    rest = [expression.of] if hasattr(expression, "of") else []
    return [*own, *(word for value in (*inner, *rest) for word in _called(value))]


def test_a_changed_text_is_written_as_texts_are() -> None:
    found = changed(text("dino"), {"remove": "nets.hs"})
    assert "ht" not in found["targets"] and yaml.safe_load(resolved(load_method(found).spec))["export"] == "t"
