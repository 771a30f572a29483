import math

import pytest
import torch

from sslgraph.components.losses.matching import Matching

QUERY = torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(0))
CHOICE = torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(1))


def test_each_query_picks_among_its_image_and_temperature_divides() -> None:
    costs = [
        (CHOICE[i] @ QUERY[i, j] / 2).logsumexp(0) - CHOICE[i, j] @ QUERY[i, j] / 2 for i in range(2) for j in range(4)
    ]
    torch.testing.assert_close(Matching(temperature=2.0)(QUERY, CHOICE), torch.stack(costs).mean())


def test_alike_choices_are_worth_the_log_of_their_number() -> None:
    found = Matching()(QUERY, CHOICE[:, :1].expand(-1, 4, -1)).item()
    assert found == pytest.approx(math.log(4), abs=1e-5)
    assert Matching().landmarks(QUERY, CHOICE)["chance"] == math.log(4)


def test_permuting_places_changes_nothing() -> None:
    order = [2, 0, 3, 1]
    torch.testing.assert_close(Matching()(QUERY[:, order], CHOICE[:, order]), Matching()(QUERY, CHOICE))


def test_with_where_the_mean_is_over_the_queries_that_count_and_all_places_are_choices() -> None:
    where = torch.tensor([[True, False, False, True], [False, True, False, False]])
    costs = [(CHOICE[i] @ QUERY[i, j]).logsumexp(0) - CHOICE[i, j] @ QUERY[i, j] for i, j in ((0, 0), (0, 3), (1, 1))]
    torch.testing.assert_close(Matching()(QUERY, CHOICE, where), torch.stack(costs).mean())
