import pytest
import torch
from torch.nn.functional import cross_entropy

from sslgraph.components.wiring.add import Add
from sslgraph.components.wiring.concat import Concat
from sslgraph.components.wiring.first_views import FirstViews
from sslgraph.components.wiring.fold import Fold
from sslgraph.components.wiring.l2 import L2
from sslgraph.components.wiring.layer_norm import LayerNorm
from sslgraph.components.wiring.mean import Mean
from sslgraph.components.wiring.scale import Scale
from sslgraph.components.wiring.similarity import Similarity
from sslgraph.components.wiring.stopgrad import Stopgrad
from sslgraph.components.wiring.take import Take
from sslgraph.components.wiring.transpose import Transpose
from sslgraph.components.wiring.unfold import Unfold


@pytest.mark.parametrize(("shape", "axis"), [((3, 5), 1), ((3, 4, 5), 2), ((3, 5, 2, 2), 1)])
def test_l2_gives_the_features_of_rows_tokens_and_maps_unit_length(shape: tuple[int, ...], axis: int) -> None:
    x = torch.randn(shape)
    torch.testing.assert_close(L2()(x).norm(dim=axis), torch.ones_like(x.sum(axis)))
    torch.testing.assert_close(L2()(x), L2()(7 * x))


def test_l2_leaves_a_zero_vector_zero() -> None:
    assert L2()(torch.zeros(2, 3)).eq(0).all()


def test_stopgrad_passes_the_value_and_no_gradient() -> None:
    x = torch.ones(2, requires_grad=True)
    (x * Stopgrad()(x)).sum().backward()
    assert x.grad is not None and x.grad.tolist() == [1, 1]


def test_concat_joins_features_of_rows_and_of_tokens() -> None:
    assert Concat()(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0]])).tolist() == [[1, 2, 3]]
    assert Concat()(torch.zeros(2, 4, 3), torch.zeros(2, 4, 5)).shape == (2, 4, 8)


def test_take_gives_each_image_the_tokens_at_its_own_places() -> None:
    tokens = torch.tensor([[[1.0], [2.0], [3.0]], [[4.0], [5.0], [6.0]]])
    places = torch.tensor([[[2, 0]], [[1, 1]]])
    assert Take()(tokens, places).tolist() == [[[[3.0], [1.0]]], [[[5.0], [5.0]]]]
    assert Take()(tokens, places[:, 0]).tolist() == [[[3.0], [1.0]], [[5.0], [5.0]]]


def test_layer_norm_gives_each_vector_mean_0_and_variance_1() -> None:
    assert LayerNorm()(torch.tensor([[1.0, 3.0]])).tolist() == [pytest.approx([-1, 1], abs=1e-4)]
    x = torch.randn(2, 3, 50)
    torch.testing.assert_close(LayerNorm()(x).var(-1, unbiased=False), torch.ones(2, 3), atol=1e-4, rtol=1e-4)


def test_add_and_scale_are_what_they_say() -> None:
    assert Add()(torch.tensor([1.0, 2.0]), torch.tensor([10.0, 20.0])).tolist() == [11, 22]
    assert Scale(factor=torch.tensor(3.0))(torch.tensor([1.0, 2.0])).tolist() == [3, 6]


def test_mean_of_a_map_is_the_mean_of_its_tokens() -> None:
    x = torch.randn(2, 5, 3, 4)
    torch.testing.assert_close(Mean()(x), Mean()(x.flatten(2).transpose(1, 2)))
    torch.testing.assert_close(Mean()(x)[1, 2], x[1, 2].mean())


def test_mean_of_rows_is_refused() -> None:
    with pytest.raises(ValueError, match="these have 2 axes"):
        Mean()(torch.zeros(2, 3))


def test_transpose_turns_pairs_round() -> None:
    pairs = torch.rand(2, 3, 4) < 0.5
    assert Transpose()(pairs)[1, 3, 2] == pairs[1, 2, 3]


def test_similarity_with_a_bank_and_the_index_is_instdiscs_softmax_of_log_n_at_collapse() -> None:
    f, bank = torch.ones(2, 4) / 2, torch.ones(50000, 4) / 2
    loss = cross_entropy(Similarity(temperature=0.07)(f, bank), torch.tensor([5, 7]))
    assert loss.item() == pytest.approx(10.81978, abs=1e-3)


def test_first_views_keeps_the_views_in_front() -> None:
    bag = torch.arange(6.0).view(3, 2, 1)
    assert FirstViews(count=2)(bag).equal(bag[:2])


def test_first_views_of_a_smaller_bag_is_refused() -> None:
    with pytest.raises(ValueError, match="keeps 2 views, and the bag has 1"):
        FirstViews(count=2)(torch.zeros(1, 2, 3))


def test_unfold_joins_the_parts_that_fold_separated_in_their_order() -> None:
    parts = torch.randn(3, 4, 5)
    assert Unfold(parts=4)(Fold()(parts)).equal(parts.flatten(1))


def test_unfolding_rows_that_are_no_multiple_is_refused() -> None:
    with pytest.raises(ValueError, match="joins 9 parts an image, and 10 rows are no multiple of that"):
        Unfold()(torch.zeros(10, 2))
