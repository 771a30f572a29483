"""Features in part, tokens as a map, the highest score, shares, and the mean over views."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from sslgraph.components.wiring.append import Append
from sslgraph.components.wiring.argmax import Argmax
from sslgraph.components.wiring.as_columns import AsColumns
from sslgraph.components.wiring.as_map import AsMap
from sslgraph.components.wiring.as_tokens import AsTokens
from sslgraph.components.wiring.channels import Channels
from sslgraph.components.wiring.diagonal import Diagonal
from sslgraph.components.wiring.dot import Dot
from sslgraph.components.wiring.everyone import Everyone
from sslgraph.components.wiring.mean_of_views import MeanOfViews
from sslgraph.components.wiring.slice import Slice
from sslgraph.components.wiring.softmax import Softmax
from sslgraph.components.wiring.transpose import Transpose
from sslgraph.components.wiring.weighted_means import WeightedMeans
from sslgraph.parts import registry
from sslgraph.settle.axes import WIDTHS, clash


def test_some_features_of_rows_tokens_and_maps() -> None:
    row = torch.tensor([[1.0, 2, 3, 4]])
    assert Channels(count=2)(row).tolist() == [[1, 2]] and Channels(count=2, start=1)(row).tolist() == [[2, 3]]
    assert Channels(count=3)(torch.zeros(2, 5, 4)).shape == (2, 5, 3)
    assert Channels(count=3)(torch.zeros(2, 5, 4, 4)).shape == (2, 3, 4, 4)
    with pytest.raises(ValueError, match="features 3 to 4 are asked for, and there are 4; set count lower"):
        Channels(count=2, start=3)(row)


def test_places_are_kept_as_python_slices_them() -> None:
    tokens = torch.arange(4).repeat(2, 1)
    kept = {(1, None): [1, 2, 3], (0, -1): [0, 1, 2], (1, 3): [1, 2], (-1, None): [3]}
    for (start, stop), places in kept.items():
        assert Slice(start=start, stop=stop)(tokens).tolist() == [places, places]
        assert Slice(start=start, stop=stop)(torch.zeros(2, 4, 5)).shape == (2, len(places), 5)
    with pytest.raises(ValueError, match=r"\[4:\] of 4 places is none; change start or stop"):
        Slice(start=4)(tokens)
    with pytest.raises(ValueError, match=r"\[2:-2\] of 4 places is none; change start or stop"):
        Slice(start=2, stop=-2)(tokens)


def test_a_map_is_the_way_back_from_tokens() -> None:
    map = torch.randn(2, 3, 4, 4)
    assert torch.equal(AsMap()(AsTokens()(map)), map)
    assert torch.equal(AsTokens()(map[:, :, 0, 0]), map[:, None, :, 0, 0])  # a row is one token
    with pytest.raises(ValueError, match="17 tokens do not lie on a square; leave a class token out"):
        AsMap()(torch.zeros(2, 17, 3))


def test_the_highest_score_counts_and_gets_no_gradient() -> None:
    scores = torch.tensor([[0.1, 0.7, 0.7], [2.0, -1, 0]], requires_grad=True)
    labels = Argmax()(scores)
    assert labels.tolist() == [1, 0] and labels.dtype == torch.int64 and not labels.requires_grad
    assert Argmax()(torch.zeros(2, 5, 3)).shape == (2, 5)


def test_shares_by_hand() -> None:
    torch.testing.assert_close(
        Softmax(temperature=0.5)(torch.tensor([[0.0, 0.5]])), torch.tensor([[1, torch.e]]) / (1 + torch.e)
    )
    assert Softmax(temperature=0.001)(torch.tensor([[0.0, 1.0]])).tolist() == [[0, 1]]


def test_the_mean_over_views_has_a_row_of_each_image() -> None:
    assert MeanOfViews()(torch.tensor([[[1.0], [2]], [[3], [8]]])).tolist() == [[2], [5]]


def test_on_one_rank_everyone_is_the_batch() -> None:
    rows = torch.randn(3, 2, requires_grad=True)
    assert torch.equal(Everyone()(rows), rows) and Everyone()(rows).requires_grad


def test_dot_products_stay_inside_an_image() -> None:
    row, tokens = torch.tensor([[1.0, 2], [0, 1]]), torch.tensor([[[1.0, 0], [3, 1]], [[5, 2], [7, 4]]])
    assert Dot()(row, row).tolist() == [5, 1]
    assert Dot(temperature=0.5)(row, tokens).tolist() == [[2, 10], [4, 8]]
    assert Dot()(tokens, row).tolist() == [[1, 5], [2, 4]]
    assert torch.equal(Dot()(tokens, tokens), tokens @ tokens.mT)


@pytest.mark.parametrize("part", [Dot(), Append()])
def test_the_cells_of_a_map_are_no_tokens(part: torch.nn.Module) -> None:
    rows, map_ = torch.zeros(2, 5), torch.zeros(2, 5, 3, 3)
    for pair in ((rows, map_), (map_, rows)):
        with pytest.raises(ValueError, match=r"\[2, 5, 3, 3\] is given; as_tokens\(...\) makes the cells of a map"):
            part(*pair)


def test_attention_is_written_with_dot_products() -> None:
    q, k, v = torch.randn(3, 2, 5, 8).unbind()
    shares = Softmax()(Dot(temperature=8**0.5)(q, k))
    expected = torch.nn.functional.scaled_dot_product_attention(q, k, v)
    torch.testing.assert_close(WeightedMeans()(v, Transpose()(shares)), expected)


def test_columns_are_rows_of_each_view() -> None:
    bag = torch.randn(2, 3, 4)
    assert torch.equal(AsColumns()(bag), torch.stack([bag[0].T, bag[1].T]))


def test_the_diagonal_of_columns_is_how_each_feature_agrees_with_itself() -> None:
    one, other = (torch.randn(1, 8, 3) for _ in range(2))
    a, b = (F.normalize(AsColumns()(x - x.mean(1, keepdim=True))[0], dim=1) for x in (one, other))
    expected = torch.stack([torch.corrcoef(torch.stack([one[0, :, i], other[0, :, i]]))[0, 1] for i in range(3)])
    torch.testing.assert_close(Diagonal()(a @ b.T), expected)
    matrix = torch.tensor([[1.0, 2], [3, 4]])
    assert Diagonal()(matrix).tolist() == [1, 4]
    ports = registry.signature("wiring.diagonal").inputs
    assert clash(ports, {"matrix": matrix[:, :1]}) == (
        "'features' is 2 at port 'matrix' and 1 at port 'matrix'",
        WIDTHS,
    )
