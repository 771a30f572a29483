import math

import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize

from sslgraph import draws
from sslgraph.components.losses.nce import NCE
from sslgraph.components.memory.first_mean import FirstMean
from sslgraph.components.wiring.partition import Partition
from sslgraph.components.wiring.random_rows import RandomRows

K, IMAGES, T = 5, 40, 0.1


def rows() -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    make = [normalize(torch.randn(*shape, 8, dtype=torch.float64), dim=-1) for shape in ((3,), (3,), (3, K))]
    return make[0], make[1], make[2]


def test_it_is_the_papers_formula_with_its_constant_and_number_of_images() -> None:
    query, own, noise = rows()
    level = torch.tensor(1.7, dtype=torch.float64)

    def share(row: Tensor) -> Tensor:
        p = ((query * row).sum(1) / T).exp() / (IMAGES * level)
        return p / (p + K / IMAGES)

    expected = -share(own).log() - sum((1 - share(noise[:, n])).log() for n in range(K))
    torch.testing.assert_close(NCE(temperature=T)(query, own, noise, level), expected.mean())


@pytest.mark.parametrize(("count", "value"), [(4096, 9.317888), (32_000, 11.3735)])
def test_rows_that_are_all_alike_cost_the_known_value(count: int, value: float) -> None:
    query, noise = torch.ones(2, 1), torch.ones(1, count, 1).expand(2, -1, -1)
    level = torch.tensor(math.exp(1 / T))
    assert NCE(temperature=T)(query, query, noise, level).item() == pytest.approx(value, abs=1e-3)
    assert NCE().landmarks(query, query, noise, level)["chance"] == pytest.approx(value, abs=1e-4)


def test_no_score_overflows() -> None:
    query = torch.ones(2, 1)
    assert NCE(temperature=0.01)(query, -query, query[:, None], torch.tensor(1e-30)).isfinite()


def test_the_level_of_an_image_is_its_mean_exponential_over_own_row_and_noise() -> None:
    query, own, noise = rows()
    every = torch.cat([own[:, None], noise], 1)
    expected = torch.stack([(every[b] @ query[b] / T).exp().mean() for b in range(3)])
    torch.testing.assert_close(Partition(temperature=T)(query, own, noise), expected)


def test_the_first_write_fixes_the_mean_for_good() -> None:
    state = FirstMean()
    assert state(torch.tensor([1.0, 3.0])) == 2 and state(torch.tensor([5.0])) == 5
    state.write(torch.tensor([1.0, 3.0]))
    state.write(torch.tensor([8.0, 8.0]))
    assert state(torch.tensor([7.0])) == 2
    again = FirstMean()
    again.load_state_dict(state.state_dict())
    assert again(torch.tensor([7.0])) == 2


def test_noise_is_uniform_with_replacement_and_another_for_each_image_and_epoch() -> None:
    table = torch.arange(10.0)[:, None]
    index = torch.arange(50)
    drawn = RandomRows(count=40)(index, table, draws.keyed(0, 0, index))[..., 0]
    assert drawn.shape == (50, 40)
    assert drawn.long().flatten().bincount(minlength=10).float().std() < 40
    assert drawn[0].unique().numel() < 40 and not drawn[0].equal(drawn[1])
    assert not drawn.equal(RandomRows(count=40)(index, table, draws.keyed(0, 1, index))[..., 0])
