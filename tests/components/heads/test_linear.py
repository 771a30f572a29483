"""The linear head: DeepCluster's start, and a fresh one in place."""

import torch

from sslgraph.components.heads.linear import Linear


def test_the_start_is_normal_with_the_given_deviation_and_no_bias() -> None:
    layer = Linear(out=200, std=0.01, dim=300).layer
    assert abs(layer.weight.std().item() - 0.01) < 2e-4
    assert layer.bias.abs().max() == 0


def test_reset_changes_the_weights_in_place() -> None:
    head = Linear(out=4, std=0.01, dim=3)
    weight, before = head.layer.weight, head.layer.weight.detach().clone()
    with torch.no_grad():
        head.layer.bias.fill_(1.0)
    head.reset()
    assert head.layer.weight is weight
    assert not torch.equal(weight, before)
    assert head.layer.bias.abs().max() == 0


def test_tokens_are_mapped_one_by_one() -> None:
    head = Linear(out=4, bias=False, dim=3)
    tokens = torch.randn(2, 5, 3)
    torch.testing.assert_close(head(tokens)[1, 2], head.layer.weight @ tokens[1, 2])


def test_features_may_be_normalised_before_it() -> None:
    """Over the batch as MAE's probe does, without weights; of each row as its fine-tuning does, with weights."""
    x = torch.tensor([[0.0, 2.0, 4.0], [2.0, 2.0, -4.0]])
    over_batch, of_rows = Linear(out=2, norm="batch", dim=3), Linear(out=2, norm="layer", dim=3)
    torch.testing.assert_close(over_batch(x), over_batch.layer(torch.tensor([[-1.0, 0.0, 1.0], [1.0, 0.0, -1.0]])))
    assert {name for name, _ in over_batch.named_parameters()} == {"layer.weight", "layer.bias"}
    unit = (x - x.mean(1, keepdim=True)) / x.std(1, keepdim=True, correction=0)
    torch.testing.assert_close(of_rows(x), of_rows.layer(unit))
    over_batch.eval()
    assert over_batch(x[None]).shape == (1, 2, 2)
    over_batch.reset()  # its statistics are those of a fresh one, too
    assert isinstance(over_batch.norm, torch.nn.BatchNorm1d) and over_batch.norm.running_mean is not None
    assert over_batch.norm.running_mean.tolist() == [0, 0, 0]
