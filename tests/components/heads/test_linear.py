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
