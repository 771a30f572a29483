"""Methods put together at random from toy parts, right by construction: what a user's YAML may come to."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from toys import EYE, SQUARE, dense, sized

from sslgraph.settle.sized import SizedGraph

DIM = 3  # of every value, so that any part may follow any other


@st.composite
def texts(draw: st.DrawFn, *, most: int = 9) -> dict[str, Any]:
    """The sections of a random method: some views, trunks, heads on heads, slow copies, a state, several losses."""
    views = [f"x{i + 1}" for i in range(draw(st.integers(1, 4)))]
    heads = [f"g{i}" for i in range(draw(st.integers(1, 3)))]
    flow: dict[str, str] = {}
    trained = [_named(flow, f"f({view})") for view in views]
    for _ in range(draw(st.integers(1, most))):
        form = draw(st.sampled_from(("{h}({a})", "{h}({a})", "l2({a})", "add({a}, {b})", "{h}(stopgrad({a}))")))
        a, b = draw(st.sampled_from(trained)), draw(st.sampled_from(trained))
        trained.append(_named(flow, form.format(h=draw(st.sampled_from(heads)), a=a, b=b)))
    heads = [head for head in heads if any(f"{head}(" in expression for expression in flow.values())]
    text: dict[str, Any] = {
        "views": {view: {"augment": "none", "copies": 1} for view in views},
        "nets": {"f": EYE, **{head: dense(DIM) for head in heads}},
        "flow": flow,
    }
    slow = _slow(draw, text, views, heads)
    ends = [*slow, *trained]
    if draw(st.booleans()):
        text["state"] = {"memory": {"use": "parts:Mean"}}
        text["after_step"] = [f"memory.add({draw(st.sampled_from(ends))})"]
        ends.append(_named(flow, f"add({draw(st.sampled_from(trained))}, {draw(st.sampled_from(trained))})"))
    count = draw(st.integers(1, 3))
    pairs = [(draw(st.sampled_from(trained)), draw(st.sampled_from(ends))) for _ in range(count)]
    text["losses"] = {f"loss{i}": {**SQUARE, "of": list(pair)} for i, pair in enumerate(pairs)}
    return text


def _slow(draw: st.DrawFn, text: dict[str, Any], views: list[str], heads: list[str]) -> list[str]:
    """Slow copies of the trunk and of some heads, each on a view."""
    if not draw(st.booleans()):
        return []
    text["targets"] = {"ft": {"ema_of": "f", "momentum": 0.9}}
    chain = f"ft({draw(st.sampled_from(views))})"
    for head in heads[: draw(st.integers(0, len(heads)))]:
        text["targets"][f"{head}t"] = {"ema_of": head, "momentum": {"cosine": [0.9, 1.0]}}
        chain = f"{head}t({chain})"
    if len(text["targets"]) == 1:
        text["targets"]["old"] = {"snapshot_of": "ft", "every": "2 epochs", "at_most": 3}
        chain = f"add({chain}, old({views[0]}))"
    return [_named(text["flow"], chain)]


def _named(flow: dict[str, str], expression: str) -> str:
    name = f"v{len(flow)}"
    flow[name] = expression
    return name


def settled(text: dict[str, Any]) -> SizedGraph:
    """The sized graph of a random method."""
    return sized(**text)
