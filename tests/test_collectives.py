"""Two small processes do what one does, in the collectives and in the parts that span the batch."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import Tensor, nn

from components.assignments.sinkhorn import Sinkhorn
from components.losses.barlow_twins import BarlowTwins
from components.losses.info_nce import InfoNCE
from components.losses.masked_regression import MaskedRegression
from components.losses.nt_xent import NTXent
from components.memory.center import Center
from components.memory.fifo import Fifo
from components.memory.row_bank import RowBank
from components.wiring.shuffle import Shuffle
from components.wiring.unshuffle import Unshuffle
from sslgraph import collectives

CLOCK = torch.tensor([0, 0, 4])


def whole(*shape: int, seed: int = 0) -> Tensor:
    """The same numbers in every process."""
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def mine(rows: Tensor, axis: int = 0) -> Tensor:
    """This rank's share of the whole."""
    return rows.chunk(collectives.ranks(), axis)[collectives.rank()].clone()


def gradients(loss: nn.Module, inputs: list[Tensor], axis: int = 0) -> list[Tensor]:
    """The loss averaged over ranks, and its gradients as the averaging of parameter gradients leaves them."""
    leaves = [mine(x, axis).requires_grad_() for x in inputs]
    value = loss(*leaves)
    value.backward()
    mean = collectives.all_sum(value) / collectives.ranks()
    return [mean, *(x.grad / collectives.ranks() for x in leaves if x.grad is not None)]


def gather() -> list[Tensor]:
    rows = mine(whole(4, 3)).requires_grad_()
    everyone = collectives.gather_with_gradient(rows)
    (everyone * whole(4, 3, seed=1) * (collectives.rank() + 1)).sum().backward()
    assert rows.grad is not None
    return [everyone.detach(), rows.grad, collectives.gather(rows)]


def all_sum() -> list[Tensor]:
    value = mine(whole(2, 3)).requires_grad_()
    total = collectives.all_sum_with_gradient(value)
    (total * (collectives.rank() + 1)).sum().backward()
    assert value.grad is not None
    return [total.detach(), value.grad, collectives.all_sum(value), collectives.broadcast(value)]


def mean_gradients() -> list[Tensor]:
    used, unused, half = (
        nn.Parameter(torch.zeros(2)),
        nn.Parameter(torch.zeros(3)),
        nn.Parameter(torch.zeros(2).half()),
    )
    used.grad, half.grad = torch.full((2,), 1.0 + collectives.rank()), torch.full((2,), 3.0).half()
    collectives.mean_gradients([used, unused, half])
    return [p.grad for p in (used, unused, half) if p.grad is not None]


def queue() -> list[Tensor]:
    fifo = Fifo(size=8, dim=3, init="zeros")
    fifo.push(mine(whole(4, 3).float()))
    return [fifo()]


def center() -> list[Tensor]:
    part = Center(dim=3)
    part.update(mine(whole(2, 4, 3).float(), 1))
    return [part()]


def bank() -> list[Tensor]:
    part = RowBank(dim=3, images=9)
    part.rows.zero_()
    part.update(mine(torch.tensor([8, 1, 3, 1])), mine(whole(4, 3).float()))
    return [part()]


def shuffled() -> list[Tensor]:
    rows = mine(whole(6, 3))
    away = Shuffle()(rows, CLOCK)
    return [collectives.gather(away), Unshuffle()(away, CLOCK) - rows]


CHECKS: dict[str, Callable[[], list[Tensor]]] = {
    "gather": gather,
    "all_sum": all_sum,
    "mean_gradients": mean_gradients,
    "nt_xent": lambda: gradients(NTXent(), [whole(2, 4, 3)], axis=1),
    "info_nce": lambda: gradients(InfoNCE(), [whole(4, 3), whole(4, 3, seed=1)]),
    "barlow_twins": lambda: gradients(BarlowTwins(), [whole(4, 3), whole(4, 3, seed=1)]),
    "masked_regression": lambda: gradients(RaggedMask(), [whole(4, 2, 3), whole(4, 2, 3, seed=1)]),
    "sinkhorn": lambda: [Sinkhorn()(mine(whole(2, 6, 4), 1) / 5)],
    "queue": queue,
    "center": center,
    "bank": bank,
    "shuffled": shuffled,
}


class RaggedMask(nn.Module):
    """Masked regression with more hidden patches on one rank than on the other."""

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        where = mine(torch.tensor([[1, 1], [1, 0], [0, 1], [0, 0]]))
        loss: Tensor = MaskedRegression()(prediction, target, where)
        return loss


def work(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    torch.save({name: check() for name, check in CHECKS.items()}, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


Both = Callable[[str], list[list[Tensor]]]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Both:
    """What rank 0 and rank 1 found in a check."""
    folder: Path = tmp_path_factory.mktemp("ranks")
    before = os.environ.setdefault("OMP_NUM_THREADS", "1")
    torch.multiprocessing.spawn(work, (str(folder),), nprocs=2)
    os.environ["OMP_NUM_THREADS"] = before
    found = [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in (0, 1)]
    return lambda name: [each[name] for each in found]


def test_gather_keeps_rank_order_and_sums_what_all_ranks_send_back(both: Both) -> None:
    for rank, (everyone, gradient, detached) in enumerate(both("gather")):
        assert everyone.equal(whole(4, 3)) and detached.equal(whole(4, 3)) and not detached.requires_grad
        torch.testing.assert_close(gradient, (1 + 2) * whole(4, 3, seed=1).chunk(2)[rank])


def test_all_sum_adds_and_its_gradient_adds_too_and_broadcast_is_rank_0s(both: Both) -> None:
    first, second = whole(2, 3).chunk(2)
    for total, gradient, detached, sent in both("all_sum"):
        torch.testing.assert_close(total, first + second)
        torch.testing.assert_close(detached, first + second)
        assert gradient.eq(1 + 2).all() and sent.equal(first)


def test_gradients_are_averaged_and_a_missing_one_counts_as_zero(both: Both) -> None:
    for used, unused, half in both("mean_gradients"):
        assert used.tolist() == [1.5, 1.5] and unused.tolist() == [0, 0, 0] and half.tolist() == [3, 3]


@pytest.mark.parametrize(
    ("name", "axis"), [("nt_xent", 1), ("info_nce", 0), ("barlow_twins", 0), ("masked_regression", 0)]
)
def test_a_loss_that_spans_the_batch_has_the_value_and_gradients_of_one_process(
    both: Both, name: str, axis: int
) -> None:
    value, *expected = CHECKS[name]()
    for rank, (mean, *found) in enumerate(both(name)):
        torch.testing.assert_close(mean, value)
        assert len(found) == len(expected) > 0
        for mine, whole_gradient in zip(found, expected, strict=True):
            torch.testing.assert_close(mine, whole_gradient.chunk(2, axis)[rank])


def test_sinkhorn_shares_prototypes_over_the_images_of_both_ranks(both: Both) -> None:
    (expected,) = CHECKS["sinkhorn"]()
    torch.testing.assert_close(torch.cat([codes for (codes,) in both("sinkhorn")], 1), expected)


@pytest.mark.parametrize("name", ["queue", "center", "bank"])
def test_state_is_the_same_on_both_ranks_and_that_of_one_process(both: Both, name: str) -> None:
    (expected,) = CHECKS[name]()
    for (state,) in both(name):
        torch.testing.assert_close(state, expected)


def test_shuffling_mixes_the_ranks_and_unshuffling_brings_every_row_home(both: Both) -> None:
    for away, difference in both("shuffled"):
        assert difference.eq(0).all()
        assert not away.equal(whole(6, 3))
        assert away[away[:, 0].argsort()].equal(whole(6, 3)[whole(6, 3)[:, 0].argsort()])


def test_one_process_is_the_identity() -> None:
    rows = torch.ones(2, requires_grad=True)
    assert (collectives.ranks(), collectives.rank()) == (1, 0)
    assert collectives.gather_with_gradient(rows) is rows and collectives.all_sum_with_gradient(rows) is rows
    for detached in (collectives.gather(rows), collectives.all_sum(rows), collectives.broadcast(rows)):
        assert detached.equal(rows) and not detached.requires_grad
