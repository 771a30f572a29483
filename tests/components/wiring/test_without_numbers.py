"""Wiring, state and solvers on the meta device and on fake tensors, as the compiler settles their shapes."""

from collections.abc import Callable

import jaxtyping
import pytest
import torch
from torch import Tensor
from torch._subclasses import FakeTensorMode

from sslgraph.components.assignments.sinkhorn import Sinkhorn
from sslgraph.components.clustering.kmeans import Kmeans
from sslgraph.components.clustering.pca_whiten import PcaWhiten
from sslgraph.components.memory.center import Center
from sslgraph.components.memory.fifo import Fifo
from sslgraph.components.memory.label_table import LabelTable
from sslgraph.components.memory.row_bank import RowBank
from sslgraph.components.memory.view_queue import ViewQueue
from sslgraph.components.wiring.jigsaw import Jigsaw
from sslgraph.components.wiring.patchify import Patchify
from sslgraph.components.wiring.rotations import Rotations
from sslgraph.components.wiring.shuffle import Shuffle


def images() -> Tensor:
    return torch.zeros(4, 3, 24, 24)


def draw() -> Tensor:
    return torch.zeros(4, 4, dtype=torch.int64)


def clock() -> Tensor:
    return torch.zeros(3, dtype=torch.int64)


def index() -> Tensor:
    return torch.zeros(4, dtype=torch.int64)


def pushed_fifo() -> Tensor:
    queue = Fifo(size=8, dim=6)
    queue.push(torch.zeros(4, 6))
    return queue()


def pushed_view_queue() -> Tensor:
    queue = ViewQueue(size=8, views=2, dim=6)
    queue.push(torch.zeros(2, 4, 6))
    return queue(clock())


def moved_center() -> Tensor:
    center = Center(dim=6)
    center.update(torch.zeros(2, 4, 6))
    return center()


def written_labels() -> Tensor:
    table = LabelTable(images=4)
    table.write(index())
    return table(index())


def moved_bank() -> Tensor:
    bank = RowBank(dim=6, images=9)
    bank.update(index(), torch.zeros(4, 6))
    return bank()


SHAPES: list[tuple[Callable[[], Tensor], tuple[int, ...]]] = [
    (lambda: Jigsaw(tile=5, permutations=10)(images(), draw()).tiles, (36, 3, 5, 5)),
    (lambda: Patchify(size=8)(images()), (4, 9, 192)),
    (lambda: Rotations()(images(), draw()).image, (16, 3, 24, 24)),
    (lambda: Rotations(variant="one")(images(), draw()).image, (4, 3, 24, 24)),
    (lambda: Shuffle()(images(), clock()), (4, 3, 24, 24)),
    (lambda: Sinkhorn()(torch.zeros(2, 4, 6), torch.zeros(2, 8, 6)), (2, 4, 6)),
    (lambda: PcaWhiten(out=3)(torch.zeros(9, 6)), (9, 3)),
    (lambda: Kmeans(k=3)(torch.zeros(9, 6), clock()).labels, (9,)),
    (pushed_fifo, (8, 6)),
    (pushed_view_queue, (2, 8, 6)),
    (moved_center, (6,)),
    (written_labels, (4,)),
    (moved_bank, (9, 6)),
]


@pytest.mark.parametrize(("part", "shape"), SHAPES)
def test_shapes_come_out_without_any_number(part: Callable[[], Tensor], shape: tuple[int, ...]) -> None:
    with torch.device("meta"):
        assert part().shape == shape
    with FakeTensorMode():
        assert part().shape == shape


def test_drawing_compiles_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    # Dynamo can't trace the shape checks that pytest may put around every part.
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    torch._dynamo.reset()
    part, pictures, drawn = Rotations(variant="one"), torch.rand(4, 3, 8, 8), torch.arange(16).view(4, 4)
    compiled = torch.compile(part, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(pictures, drawn), part(pictures, drawn))
