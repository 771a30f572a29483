"""Two small processes do what one does, in the collectives and in the parts that span the batch."""

from collections.abc import Callable

import pytest
import torch
import torch.distributed as dist
from torch import Tensor, nn
from two_ranks import Both

from sslgraph import collectives
from sslgraph.components.assignments.permutation import Permutation
from sslgraph.components.assignments.sinkhorn import Sinkhorn
from sslgraph.components.losses.barlow_twins import BarlowTwins
from sslgraph.components.losses.info_nce import InfoNCE
from sslgraph.components.losses.masked_regression import MaskedRegression
from sslgraph.components.losses.matching import Matching
from sslgraph.components.losses.mean import Mean
from sslgraph.components.losses.nt_xent import NTXent
from sslgraph.components.memory.center import Center
from sslgraph.components.memory.fifo import Fifo
from sslgraph.components.memory.row_bank import RowBank
from sslgraph.components.wiring.as_columns import AsColumns
from sslgraph.components.wiring.shuffle import Shuffle
from sslgraph.components.wiring.unshuffle import Unshuffle

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


def shuffled(count: int) -> list[Tensor]:
    rows = mine(whole(count, 3))
    away = Shuffle()(rows, CLOCK)
    return [collectives.gather(away), Unshuffle()(away, CLOCK) - rows, away]


def exchanged() -> list[Tensor]:
    rows = mine(whole(8, 3)).requires_grad_()
    away = collectives.exchange(rows)
    return [away, collectives.exchange(away, back=True)]


CHECKS: dict[str, Callable[[], list[Tensor]]] = {
    "gather": gather,
    "all_sum": all_sum,
    "mean_gradients": mean_gradients,
    "nt_xent": lambda: gradients(NTXent(), [whole(2, 4, 3)], axis=1),
    "nt_xent with labels": lambda: gradients(Supervised(), [whole(2, 4, 3)], axis=1),
    "permutation": lambda: [Permutation()(mine(whole(6, 6)))],
    "mean of some": lambda: gradients(SomeNumbers(), [whole(4, 3)]),
    "info_nce": lambda: gradients(InfoNCE(), [whole(4, 3), whole(4, 3, seed=1)]),
    "info_nce of some": lambda: gradients(SomeRows(), [whole(4, 3), whole(4, 3, seed=1)]),
    "barlow_twins": lambda: gradients(BarlowTwins(), [whole(4, 3), whole(4, 3, seed=1)]),
    "masked_regression": lambda: gradients(RaggedMask(MaskedRegression()), [whole(4, 2, 3), whole(4, 2, 3, seed=1)]),
    "matching": lambda: gradients(RaggedMask(Matching()), [whole(4, 2, 3), whole(4, 2, 3, seed=1)]),
    "columns": lambda: gradients(nn.Sequential(AsColumns(), NTXent(negatives="rank")), [whole(2, 4, 3)], axis=1),
    "sinkhorn": lambda: [Sinkhorn()(mine(whole(2, 6, 4), 1) / 5)],
    "queue": queue,
    "center": center,
    "bank": bank,
    "shuffled evenly": lambda: shuffled(16),
    "shuffled unevenly": lambda: shuffled(6),
    "shuffled alone": lambda: shuffled(2),
    "exchanged": exchanged,
}


class SomeRows(nn.Module):
    """InfoNCE with more rows that count on one rank than on the other."""

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        loss: Tensor = InfoNCE()(query, key, where=mine(torch.tensor([True, True, False, True])))
        return loss


class Supervised(nn.Module):
    """NT-Xent with a class on both ranks, one on one rank, and an image without."""

    def forward(self, embeddings: Tensor) -> Tensor:
        loss: Tensor = NTXent()(embeddings, labels=mine(torch.tensor([2, -1, 2, 0])))
        return loss


class SomeNumbers(nn.Module):
    """The mean of more numbers on one rank than on the other."""

    def forward(self, value: Tensor) -> Tensor:
        loss: Tensor = Mean()(value, mine(whole(4, 3, seed=1) > torch.tensor([[0], [-9], [1], [0]])))
        return loss


class RaggedMask(nn.Module):
    """A loss of hidden patches, with more of them on one rank than on the other."""

    def __init__(self, loss: nn.Module) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        where = mine(torch.tensor([[True, True], [True, False], [False, True], [False, False]]))
        loss: Tensor = self.loss(prediction, target, where)
        return loss


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
    ("name", "axis"),
    [
        ("nt_xent", 1),
        ("nt_xent with labels", 1),
        ("mean of some", 0),
        ("info_nce", 0),
        ("info_nce of some", 0),
        ("barlow_twins", 0),
        ("masked_regression", 0),
        ("matching", 0),
        ("columns", 1),
    ],
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


def test_one_matching_deals_the_rows_to_the_images_of_both_ranks(both: Both) -> None:
    (expected,) = CHECKS["permutation"]()
    assert torch.cat([dealt for (dealt,) in both("permutation")]).equal(expected)


@pytest.mark.parametrize("name", ["queue", "center", "bank"])
def test_state_is_the_same_on_both_ranks_and_that_of_one_process(both: Both, name: str) -> None:
    (expected,) = CHECKS[name]()
    for (state,) in both(name):
        torch.testing.assert_close(state, expected)


@pytest.mark.parametrize(("way", "count"), [("evenly", 16), ("unevenly", 6), ("alone", 2)])
def test_shuffling_mixes_the_ranks_and_unshuffling_brings_every_row_home(both: Both, way: str, count: int) -> None:
    for away, difference, _ in both(f"shuffled {way}"):
        assert difference.eq(0).all()
        assert not away.equal(whole(count, 3))
        assert away[away[:, 0].argsort()].equal(whole(count, 3)[whole(count, 3)[:, 0].argsort()])


def test_rows_are_dealt_in_equal_parts_and_each_rank_in_an_order_of_its_own(both: Both) -> None:
    homes = [[whole(16, 3)[:, 0].eq(row[0]).nonzero().item() for row in away] for *_, away in both("shuffled evenly")]
    assert [sum(home < 8 for home in some) for some in homes] == [4, 4]
    dealt = [[home for some in homes for home in some if home // 8 == rank] for rank in (0, 1)]
    assert dealt[0] != [home - 8 for home in dealt[1]]


def test_an_exchange_by_hand(both: Both) -> None:
    """Of four rows each rank keeps the first two and sends the others; what comes is grouped by rank."""
    rows = whole(8, 3)
    expected = (rows[[0, 1, 6, 7]], rows[[2, 3, 4, 5]])
    for rank, (away, home) in enumerate(both("exchanged")):
        assert away.equal(expected[rank]) and not away.requires_grad
        assert home.equal(rows.chunk(2)[rank])


@pytest.mark.parametrize(("count", "ranks"), [(8, 8), (16, 4), (2, 8), (1, 4), (5, 3), (3, 5), (12, 8)])
def test_every_rank_is_dealt_as_many_rows_as_it_gives(count: int, ranks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """All ranks in one process, one after the other: what each sends is put where it belongs."""
    sent: dict[int, Tensor] = {}
    sizes: dict[int, tuple[list[int], list[int]]] = {}

    def send(out: Tensor, rows: Tensor, got: list[int], given: list[int]) -> None:
        sent[here], sizes[here] = rows.clone(), (got, given)
        out.zero_()

    monkeypatch.setattr(dist, "all_to_all_single", send)
    monkeypatch.setattr(collectives, "ranks", lambda: ranks)
    for here in range(ranks):
        monkeypatch.setattr(collectives, "rank", lambda here=here: here)
        collectives.exchange(torch.arange(count) + 100 * here)
    for one in range(ranks):
        assert sum(sizes[one][0]) == sum(sizes[one][1]) == count
        assert sizes[one][0] == [sizes[other][1][one] for other in range(ranks)]
        assert max(sizes[one][1]) - min(sizes[one][1]) <= 1
        for row, other in zip(sent[one].tolist(), _owners(sizes[one][1]), strict=True):
            assert other == (one + int((row % 100 + 0.5) * ranks / count)) % ranks


def _owners(given: list[int]) -> list[int]:
    return [other for other, times in enumerate(given) for _ in range(times)]


def test_one_process_is_the_identity() -> None:
    rows = torch.ones(2, requires_grad=True)
    assert (collectives.ranks(), collectives.rank()) == (1, 0)
    assert collectives.gather_with_gradient(rows) is rows and collectives.all_sum_with_gradient(rows) is rows
    for detached in (collectives.gather(rows), collectives.all_sum(rows), collectives.broadcast(rows)):
        assert detached.equal(rows) and not detached.requires_grad


def test_no_thread_of_the_connection_outlives_it(both: Both) -> None:
    """One that still lets go of a tensor while the interpreter ends aborts the process."""
    assert both("threads left") == [[], []]
