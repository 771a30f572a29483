"""Whole steps of methods against slow versions of their formulas, of a few lines, over two steps of their states."""

from __future__ import annotations

import torch
from test_paper_oracles import seen
from test_specs import BATCH, noise, one_step, ready
from torch.nn.functional import cross_entropy, normalize

from sslgraph.compile.compile import CompiledMethod


def close(one: torch.Tensor, other: torch.Tensor) -> None:
    torch.testing.assert_close(one.detach().double(), other.detach().double(), atol=1e-4, rtol=1e-4)


def test_nnclr_predicts_from_projections_of_any_length_and_finds_by_unit_ones() -> None:
    method = ready("nnclr")
    for step in range(2):
        batch, queue = noise("nnclr", BATCH * step), method.parts["support"].rows.clone()
        y1, y2 = seen(method, batch, "y1", "y2", step=step)
        p1, p2 = (normalize(method.parts["q"](y), dim=1) for y in (y1, y2))
        n1, n2 = (queue[(normalize(y, dim=1) @ queue.T).argmax(1)] for y in (y1, y2))
        expected = sum(0.5 * cross_entropy(n @ p.T / 0.2, torch.arange(BATCH)) for n, p in ((n1, p2), (n2, p1)))
        losses = one_step(method, batch, step)
        close(losses["one"] + losses["two"], expected)
        close(method.parts["support"].rows[BATCH * step : BATCH * (step + 1)], normalize(y1, dim=1))
    assert not torch.allclose(y1.norm(dim=1), torch.ones(BATCH), atol=0.1)


def test_tico_keeps_away_from_a_covariance_whose_newest_part_is_its_own() -> None:
    method, old = ready("tico"), torch.zeros(())
    for step in range(2):
        batch = noise("tico", BATCH * step)
        z, t = seen(method, batch, "z", "t", step=step)
        covariance = 0.9 * old + 0.1 * z.T @ z / BATCH
        expected = 1 - (z * t).sum(1).mean() + 8 * ((z @ covariance) * z).sum(1).mean()
        fast, weight = sum(method(batch).losses.values(), torch.zeros(())), next(method.parts["f"].parameters())
        close(fast, expected)
        close(*(torch.autograd.grad(value, weight, retain_graph=True)[0] for value in (fast, expected)))
        one_step(method, batch, step)
        old = covariance.detach()
        close(method.parts["c"].values, old)


def test_simclr_v2_costs_half_of_what_the_authors_two_directions_do() -> None:
    method, batch = ready("simclr_v2"), noise("simclr_v2")
    (z,) = seen(method, batch, "z")
    one, other = z.chunk(2)
    itself = torch.eye(BATCH) * 1e9
    both = [cross_entropy(torch.cat([a @ b.T, a @ a.T - itself], 1) / temperature(method), torch.arange(BATCH))
            for a, b in ((one, other), (other, one))]  # fmt: skip
    close(one_step(method, batch, 0)["contrast"], (both[0] + both[1]) / 2)


def test_pixcontrast_sums_over_all_cells_at_a_cells_place() -> None:
    method, batch = ready("pixcontrast"), noise("pixcontrast")
    y1, k2, pairs = seen(method, batch, "y1", "k2", "pairs")
    costs = []
    for y, k, pair in zip(y1.flatten(2), k2.flatten(2), pairs, strict=True):
        scores = (normalize(y, dim=0).T @ normalize(k, dim=0) / 0.3).exp()
        of_cells = [-(row[p].sum() / row.sum()).log() for row, p in zip(scores, pair.bool(), strict=True) if p.any()]
        costs += [torch.stack(of_cells).mean()] if of_cells else []
    assert costs
    close(one_step(method, batch, 0)["one"], torch.stack(costs).mean())


def test_the_constant_of_pirl_is_that_of_its_first_tiles() -> None:
    method, batch = ready("pirl"), noise("pirl")
    t, own, others = seen(method, batch, "t", "own", "others")
    scores = (torch.cat([own[:, None], others], 1) @ t[:, :, None])[..., 0] / 0.1
    one_step(method, batch, 0)
    close(method.parts["z"].mean, scores.exp().mean())


def temperature(method: CompiledMethod) -> float:
    found: float = method.parts["contrast"].temperature  # type: ignore[assignment]
    return found
