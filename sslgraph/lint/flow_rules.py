"""Rules about the flow: misleading names, lost gradients, images that see each other, views taken for rows."""

from __future__ import annotations

from collections.abc import Iterator

from sslgraph.amounts import counted
from sslgraph.parts import registry
from sslgraph.parts.signature import Port
from sslgraph.read.spec import Path
from sslgraph.wire.graph import Graph, Value

from .queries import agreements, box_of, calls, origins, output, parts_upstream, setting, spans_batch, written
from .ranks import gathering, of_all_ranks, of_this_rank
from .rule import Doubt, Facts, rule

FEATURES = ("dim", "out", "classes")  # names of a last axis that is none of places


@rule("SG201", "pylint W0622, redefined-builtin")
def name_of_a_part(graph: Graph, _: Facts) -> Iterator[Doubt]:
    """A name of the flow is not also that of a part."""
    uses = registry.catalogue("wiring")
    for name, path in _names(graph).items():
        if (use := f"wiring.{name}") in uses:
            yield Doubt(
                path,
                f"'{name}' is also the name of {use}: a reader, and {name}(...), can mean either",
                "give it another name",
            )


def _names(graph: Graph) -> dict[str, Path]:
    """The names that a method gives to views, values and parts; a part that is the wiring part itself is left out."""
    views: dict[str, Path] = {view: ("views", view) for view in graph.method.views}
    values = {name: leg.values[value].path for leg in graph.every_leg for name, value in leg.flow.items()}
    boxes = graph.boxes.values()
    parts = {box.name: box.path for box in boxes if box.section != "wiring" and box.use != f"wiring.{box.name}"}
    return {**views, **parts, **values}


@rule("SG202", "docs/parts.md, Gradients")
def line_without_a_gradient(graph: Graph, facts: Facts) -> Iterator[Doubt]:
    """A part sends back the gradients that it promises."""
    for name, port in facts.dead:
        box = graph.boxes[name]
        yield Doubt(
            box.path,
            f"no gradient comes back through '{port}' of '{name}' ({box.use}), and its line is drawn as if one did",
            f'say detached=("{port}",) in its @component(...) if that is meant: {box.signature.file}',
        )


@rule("SG203", "docs/parts.md, Other ranks")
def images_that_see_each_other(graph: Graph, facts: Facts) -> Iterator[Doubt]:
    """A part works on each image by itself, or says that it does not."""
    for name, port, shape in facts.mixed:
        box = graph.boxes[name]
        taken = f"the {shape[0]} images at '{port}', {list(shape)}, are taken for one sequence"
        yield Doubt(
            box.path,
            f"in '{name}' ({box.use}) each image's result depends on the others of its batch: {taken}, or compared",
            "for a sequence of each image give it [images, places, width] (and batch_first: true, where torch asks); "
            "a part of your own that compares images says spans_batch=True",
        )


@rule("SG204", "docs/parts.md, Axes and numbers")
def views_as_rows(graph: Graph, facts: Facts) -> Iterator[Doubt]:
    """A loss that gets the views of a bag as rows says that rows are meant."""
    for name, given in facts.flattened:
        box = graph.boxes[name]
        shapes = [f"'{port}' is {list(shape)}, {counted(views, 'view')}" for port, views, shape in given]
        yield Doubt(
            box.path,
            f"'{name}' ({box.use}) gets the views of a bag as rows, one view after the other: {'; '.join(shapes)}",
            'annotate its forward: Float[Tensor, "views batch dim"] takes the views apart, and '
            'Float[Tensor, "batch dim"] says that rows are meant; or name the views in the flow: z[0] and z[1]',
        )


@rule("SG205", "docs/parts.md, Other ranks")
def rows_of_this_rank_alone(graph: Graph, _: Facts) -> Iterator[Doubt]:
    """Where images are compared, they are those of all processes."""
    local = of_this_rank(graph)
    for value, box in calls(graph):
        first = {port: (box.signature.inputs[port].axes or ("",))[0] for port, _ in value.inputs}
        # A part from elsewhere may call its batch "b": a first axis is another one only beside "batch" itself.
        is_known = box.signature.family != "plugin" or "batch" in first.values()
        for port, source in value.inputs if box.section in ("ops", "wiring", "losses") and is_known else ():
            is_table = first[port].isidentifier() and first[port] != "batch" and not first[port].startswith("views")
            if is_table and source in local and not spans_batch(graph, value, box):
                text = written(graph, source)
                yield Doubt(
                    value.path,
                    f"'{box.name}' ({box.use}) takes at '{port}' the rows of all images, and '{text}' has those of "
                    "one process alone: on several, each compares fewer",
                    f"write everyone({text}), as a name of the flow if need be",
                )


@rule("SG206", "docs/language.md, flow")
def features_taken_for_places(graph: Graph, _: Facts) -> Iterator[Doubt]:
    """What is pooled over places has places."""
    for value, box in calls(graph):
        for source in (given for port, given in value.inputs if port == box.traits.places):
            made = output(graph, source)
            axes = made.axes if made and made.axes else ()
            if len(axes) == 4 and (axes[3] in FEATURES or "tokens" in axes[2:]):
                yield Doubt(
                    value.path,
                    f"'{box.name}' ({box.use}) pools the last two axes of a map, and '{written(graph, source)}' "
                    f"is no map: [{', '.join(axes)}]; what is left is '{axes[1]}'",
                    "take one of them first, or their mean (mean_of_layers): it pools tokens [batch, tokens, dim], too",
                )


@rule("SG207", "docs/language.md, flow")
def views_of_one(graph: Graph, _: Facts) -> Iterator[Doubt]:
    """What is pooled over views has several."""
    views = origins(graph)
    for value, box in calls(graph):
        ports, made = box.signature.inputs, output(graph, value.name)
        is_bag_in = [source for port, source in value.inputs if ports[port].is_bag]
        is_pooled = made is not None and (made.axes or ("",))[0] == "batch"
        for source in is_bag_in if box.section in ("ops", "wiring") and is_pooled else ():
            known = views[source]
            makes_views = any(port.is_bag for part in parts_upstream(graph, source) for port in part.signature.outputs)
            if known is not None and len(known) == 1 and not makes_views:
                yield Doubt(
                    value.path,
                    f"'{box.name}' ({box.use}) works over the views of a bag, and '{written(graph, source)}' is "
                    f"of one view, {known[0]}: it is that view itself",
                    "give the view copies: 2 or more, or name a bag(...) of several",
                )


@rule("SG208", "docs/parts.md, Other ranks")
def rows_gathered_twice(graph: Graph, _: Facts) -> Iterator[Doubt]:
    """What every rank has is not gathered once more."""
    same = of_all_ranks(graph)
    for value, box in calls(graph):
        apart = box.traits.repels == "samples" and spans_batch(graph, value, box) and box.section == "losses"
        choices = gathering(box.signature)
        if (
            apart
            and same.issuperset(dict(value.inputs).values())
            and all(setting(box, c) == "all_ranks" for c in choices)
        ):
            text = written(graph, value.inputs[0][1])
            yield Doubt(
                value.path,
                f"'{box.name}' ({box.use}) gathers the rows of all ranks, and '{text}' is the same on all of them: on "
                "several, each row meets its own copies",
                f"write {choices[0]}: rank" if choices else _kept_apart(graph, value),
            )


def _kept_apart(graph: Graph, loss: Value) -> str:
    """What to do where a loss that always gathers is given what all ranks have."""
    if any(part.traits.spans_batch and part.traits.rows == "same" for part in parts_upstream(graph, loss.name)):
        return "leave everyone(...) out"
    choosing = [
        f"{use} with {key}: rank" for use in registry.catalogue("losses") for key in gathering(registry.signature(use))
    ]
    return f"train on one rank, or by a loss that can leave the others out: {' or '.join(choosing)}"


@rule("SG209", "docs/parts.md, Random numbers")
def rows_in_another_order(graph: Graph, _: Facts) -> Iterator[Doubt]:
    """Rows that are paired stand in one order: image by image, or view by view."""
    known = dict[str, str]()
    for name in graph.training.values:
        known[name] = _order(graph, name, known)
    for loss, box, one, other in agreements(graph):
        ports = [box.signature.inputs[port] for port in box.traits.agrees]
        orders = {side: known[side] for side in (one, other)}
        if set(orders.values()) == {"images", "views"} and not any(port.is_bag for port in ports):
            folded = one if orders[one] == "images" else other
            yield Doubt(
                loss.path,
                f"'{box.name}' pairs '{written(graph, folded)}', whose rows stand image by image, with "
                f"'{written(graph, other if folded == one else one)}', a bag, whose rows stand view by view",
                "make a bag of the parts of an image: parts_as_views(...) in place of fold(...)",
            )


def _order(graph: Graph, name: str, known: dict[str, str]) -> str:
    """How the rows of a value stand: "images" where the parts of an image follow each other, "views" in a bag of
    several; empty where that is not known.
    """
    value, box = graph.training.values[name], box_of(graph, name)
    made = output(graph, name)
    if box and box.traits.folds:
        return "" if known[value.inputs[0][1]] else "images"
    if value.kind == "bag" or (value.kind == "view" and graph.method.views[str(value.view)].copies > 1):
        return "views"
    if value.kind == "call" and made and made.is_bag:
        return "views"
    # A row for each row that it is given: a net, l2, what a part with several outputs gives.
    ports = box.signature.inputs if box else {}
    given = [source for port, source in value.inputs if not box or _has_rows(ports[port])]
    orders = {known[source] for source in given} if value.kind == "port" or _has_rows(made) else set()
    return orders.pop() if len(orders) == 1 else ""


def _has_rows(port: Port | None) -> bool:
    """Whether the first axis of a port counts rows, or is any, as that of a head is."""
    axis = (port.axes or ("",))[0] if port else ""
    return axis == "batch" or axis.startswith("*")
