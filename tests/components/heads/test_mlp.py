"""The perceptron as each paper has it: layers, biases and counts; then what it refuses."""

from typing import Any

import pytest
import torch
from torch import nn

from sslgraph.components.heads.mlp import MLP


def layers(**settings: Any) -> list[str]:
    """The head in words: L linear with bias, l without; B BatchNorm with scale and shift, b with scale, n with none."""
    words = []
    for layer in MLP(dim=8, **settings).layers:
        if isinstance(layer, nn.Linear):
            words.append("l" if layer.bias is None else "L")
        elif isinstance(layer, nn.BatchNorm1d):
            words.append("n" if layer.weight is None else "b" if layer.bias is None else "B")
        else:
            words.append(type(layer).__name__)
    return words


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"hidden": [6]}, "L ReLU L"),  # MoCo v2
        ({"hidden": [6], "norm": "batch", "output_norm": "batch_no_bias"}, "l B ReLU l b"),  # SimCLR
        ({"hidden": [6], "norm": "batch", "bias": "first"}, "L B ReLU l"),  # BYOL
        ({"hidden": [6], "norm": "batch", "bias": "all"}, "L B ReLU L"),  # SwAV
        ({"hidden": [6, 6], "norm": "batch", "output_norm": "batch_no_affine"}, "l B ReLU l B ReLU l n"),  # SimSiam
        ({"hidden": [4], "norm": "batch"}, "l B ReLU L"),  # SimSiam's predictor
        ({"hidden": [6, 6], "norm": "batch", "bias": "none"}, "l B ReLU l B ReLU l"),  # Barlow Twins
        ({"hidden": [6], "norm": "batch", "bias": "none", "output_norm": "batch"}, "l B ReLU l B"),
        ({"hidden": [], "activation": "gelu"}, "L"),
        ({"hidden": [6], "activation": "gelu"}, "L GELU L"),
    ],
)
def test_the_settings_give_the_papers_heads(settings: dict[str, Any], expected: str) -> None:
    assert layers(out=5, **settings) == expected.split()


@pytest.mark.parametrize(
    ("settings", "numbers"),
    [
        ({"hidden": [2048], "out": 128}, 4_458_624),  # MoCo v2, ResNet-50
        ({"hidden": [4096], "out": 256, "norm": "batch", "bias": "first"}, 2048 * 4096 + 3 * 4096 + 4096 * 256),
        ({"hidden": [2048], "out": 128, "norm": "batch", "output_norm": "batch_no_bias"},
         2048 * 2048 + 2 * 2048 + 2048 * 128 + 128),
    ],
)  # fmt: skip
def test_the_heads_have_the_papers_number_of_weights(settings: dict[str, Any], numbers: int) -> None:
    with torch.device("meta"):
        assert sum(p.numel() for p in MLP(dim=2048, **settings).parameters()) == numbers


def test_two_layers_by_hand() -> None:
    head = MLP(dim=2, hidden=[2], out=1)
    with torch.no_grad():
        head.layers[0].weight.copy_(torch.tensor([[1.0, 0.0], [0.0, -1.0]]))
        head.layers[0].bias.copy_(torch.tensor([0.5, 0.0]))
        head.layers[2].weight.copy_(torch.tensor([[2.0, 3.0]]))
        head.layers[2].bias.fill_(-1.0)
    # relu(1 + 0.5, -4) = (1.5, 0); 2 * 1.5 - 1 = 2
    torch.testing.assert_close(head(torch.tensor([[1.0, 4.0]])), torch.tensor([[2.0]]))


def test_tokens_share_the_batch_statistics_of_all_rows() -> None:
    head = MLP(dim=3, hidden=[4], out=2, norm="batch")
    tokens = torch.randn(5, 6, 3)
    torch.testing.assert_close(head(tokens), head(tokens.flatten(0, 1)).unflatten(0, (5, 6)))


def test_a_head_built_without_its_width_says_where_it_comes_from() -> None:
    with pytest.raises(ValueError, match="dim is filled from the tensor that arrives"):
        MLP(hidden=[4], out=2)


def test_weights_may_start_normal_with_biases_of_0() -> None:
    head = MLP(hidden=[256], out=256, std=0.02, dim=256)
    assert head.layers[0].weight.std().item() == pytest.approx(0.02, rel=0.02)
    assert not head.layers[0].bias.any() and not head.layers[2].bias.any()
