"""Methods of toy parts in a few words, the batches they take, and their gradient map held against autograd."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from sslgraph.draws import keyed
from sslgraph.read.spec import Method
from sslgraph.schedules import Clock
from sslgraph.settle.settle import settle
from sslgraph.settle.sized import SizedGraph
from sslgraph.wire.gradients import gradient_map
from sslgraph.wire.graph import Graph
from sslgraph.wire.wire import wire

if TYPE_CHECKING:
    from sslgraph.compile.compile import CompiledMethod

PLUGINS = ("parts", "more_parts")
CLOCK = Clock(steps_per_epoch=10, total_steps=100)
X = {"x": {"augment": "none"}}
TWO_VIEWS = {"x1": {"augment": "none"}, "x2": {"augment": "none"}}
EYE = {"use": "parts:Eye"}
SQUARE = {"use": "parts:Square"}


def dense(out: int = 2, **more: Any) -> dict[str, Any]:
    """The text of a net with one matrix of ones."""
    return {"use": "parts:Dense", "out": out, **more}


def method(**text: Any) -> Method:
    """A method from its sections; the first net is exported unless the text says otherwise."""
    whole = {"method": "toy", "views": X, "export": next(iter(text.get("nets") or {"f": 0})), **text}
    return Method.model_validate(whole)


def wired(**text: Any) -> Graph:
    """A wired toy method."""
    return wire(method(**text), plugins=PLUGINS)


def sized(*, size: int = 2, batch: int = 4, dataset: int = 8, **text: Any) -> SizedGraph:
    """A settled toy method whose views are all of one size."""
    graph = wired(**text)
    return settle(
        graph, dict.fromkeys(graph.method.views, (3, size, size)), batch=batch, dataset=dataset, plugins=PLUGINS
    )


def compiled(*, seed: int = 0, **text: Any) -> CompiledMethod:
    """A toy method with real weights."""
    from sslgraph.compile.compile import CompiledMethod

    return CompiledMethod(sized(**text), seed=seed, plugins=PLUGINS)


def batch(
    images: Mapping[str, Tensor], *, index: Tensor | None = None, rows: int | None = None, step: int = 0
) -> dict[str, Tensor]:
    """A batch of given images by view; every other port of a view is filled with something of the right shape."""
    count = rows or len(next(iter(images.values())))
    index = torch.arange(count) if index is None else index
    out = {"draw": keyed(0, 0, index), "clock": torch.tensor([0, 0, step])}
    for view, image in images.items():
        copies = len(image) // count
        out |= {
            f"{view}.image": image,
            f"{view}.index": index.repeat(copies),
            f"{view}.label": index.repeat(copies) % 2,
            f"{view}.box": torch.tensor([0.0, 0.0, 1.0, 1.0]).expand(len(image), 4),
            f"{view}.flip": torch.zeros(len(image), dtype=torch.bool),
        }
    return out


def random_batch(graph: SizedGraph, sizes: Mapping[str, tuple[int, int, int]], *, rows: int) -> dict[str, Tensor]:
    """Noise for every view of a settled method."""
    views = graph.graph.method.views
    return batch({name: torch.randn(view.copies * rows, *sizes[name]) for name, view in views.items()}, rows=rows)


def assert_map_is_true(compiled_method: CompiledMethod, tensors: Mapping[str, Tensor]) -> None:
    """Each loss backward by itself moves just the nets that the gradient map says, and no target ever."""
    graph = compiled_method.graph
    claimed = gradient_map(graph)
    for number, loss in enumerate(claimed.losses):
        says = {net for net, cells in claimed.rows.items() if cells[number] == "gradient"}
        assert nets_moved(compiled_method, tensors, loss) == says, f"loss '{loss}'"


def nets_moved(compiled_method: CompiledMethod, tensors: Mapping[str, Tensor], loss: str) -> set[str]:
    """The nets and targets whose parameters get a gradient other than zero from one loss of a batch."""
    compiled_method.zero_grad(set_to_none=True)
    compiled_method.begin(0, CLOCK)
    value = compiled_method.training_program(tensors)[loss]  # without its weight, which may begin at 0
    trains = compiled_method.graph.loss(loss).spec.trains
    names = (*compiled_method.net_names, *compiled_method.target_names)
    parameters = [
        p
        for name in names
        if trains is None or name in trains
        for p in compiled_method.parts[name].parameters()
        if p.requires_grad
    ]
    value.backward(inputs=parameters)
    return {
        name
        for name in names
        if any(p.grad is not None and bool(p.grad.abs().max() > 0) for p in compiled_method.parts[name].parameters())
    }
