"""A picture can't lie: the solid lines are those along which autograd sends a gradient."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from random_methods import texts
from small_methods import IMAGES, ROWS, images_of, small, write_tables
from torch import Tensor, fx
from toys import PLUGINS, random_batch, sized

from sslgraph.compile.compile import CompiledMethod
from sslgraph.drawing import Edge, Level, picture
from sslgraph.read import catalogue
from sslgraph.settle.settle import settle
from sslgraph.wire.wire import wire

Port = tuple[str, str]  # a call of the program, and one of its input ports


def watch(method: CompiledMethod) -> set[Port]:
    """Puts a hook on every input of every call of the training step; the set fills in a backward pass."""
    fired: set[Port] = set()

    def seen(value: Any, call: str, port: str) -> Any:
        if not (isinstance(value, Tensor) and value.requires_grad):
            return value
        alias = value.view_as(value)
        alias.register_hook(lambda _: fired.add((call, port)))
        return alias

    leg = next(leg for leg in method.sized.legs if leg.leg.is_training)
    module = method.programs[leg.leg.name].module
    for node in [node for node in module.graph.nodes if node.op == "call_module"]:
        ports = leg.ports[str(node.target)]
        with module.graph.inserting_before(node):
            args = [
                module.graph.call_function(seen, (arg, node.name, port))
                for arg, port in zip(node.args, ports, strict=False)
            ]
            named = {
                p: module.graph.call_function(seen, (arg, node.name, p))
                for p, arg in node.kwargs.items()
                if isinstance(arg, fx.Node)
            }
        node.args, node.kwargs = tuple(args), {**node.kwargs, **named}
    module.recompile()
    return fired


def carried(method: CompiledMethod, tensors: dict[str, Tensor]) -> dict[str, set[Port]]:
    """For each loss the ports through which its backward pass, towards the nets that it trains, sends a gradient."""
    fired, found = watch(method), {}
    out = method.programs[method.graph.training.name](tensors)
    for loss in method.graph.training.losses:
        trains = method.graph.loss(loss.name).spec.trains
        nets = [name for name in method.net_names if trains is None or name in trains]
        parameters = [p for name in nets for p in method.parts[name].parameters() if p.requires_grad]
        fired.clear()
        out[loss.name].sum().backward(inputs=parameters, retain_graph=True)
        found[loss.name] = set(fired)
    return found


def assert_lines_are_true(method: CompiledMethod, tensors: dict[str, Tensor], levels: tuple[Level, ...]) -> None:
    """Every data line of the training panel claims the losses whose gradient autograd sends through it."""
    truth = carried(method, tensors)
    for level in levels:
        panel = picture(method.sized, level=level).panels[-1]
        drawn = {box.part for box in panel.boxes if box.kind == "loss"}
        for edge in (edge for edge in panel.edges if edge.kind == "data" and edge.reads):
            assert set(edge.losses) == {loss for loss in drawn if through(edge, truth[loss])}, (level, edge)
            assert (edge.gradient == "gradient") == bool(edge.losses)


def through(edge: Edge, ports: set[Port]) -> bool:
    """Whether a gradient passed any of the reads of a line; a call on several resolutions is several calls."""
    return any(
        port == found and re.fullmatch(rf"{re.escape(reader)}(_\d+)?(_views)?_*", call)
        for _, reader, port in edge.reads
        for call, found in ports
    )


@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(texts())
def test_the_lines_of_a_random_method_are_true(text: dict[str, Any]) -> None:
    method = CompiledMethod(sized(**text), plugins=PLUGINS)
    tensors = random_batch(method.sized, dict.fromkeys(text["views"], (3, 2, 2)), rows=4)
    assert_lines_are_true(method, tensors, ("paper", "every-call"))


@pytest.mark.slow
@pytest.mark.parametrize("name", catalogue.names("methods"))
def test_the_lines_of_a_shipped_method_are_true(name: str) -> None:
    loaded = small(name)
    images = images_of(name, loaded.spec)
    method = CompiledMethod(settle(wire(loaded.spec, loaded.place), images, batch=ROWS, dataset=IMAGES))
    write_tables(method.parts, loaded.spec)
    assert_lines_are_true(method, random_batch(method.sized, images, rows=ROWS), ("paper", "every-call"))
