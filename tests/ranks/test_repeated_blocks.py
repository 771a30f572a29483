"""The blocks that a net repeats, and what computing them once more changes: memory, and no number."""

import copy
import pickle
import re
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from sslgraph.errors import SslgraphError
from sslgraph.parts import registry
from sslgraph.ranks.repeated_blocks import blocks, recompute


def vit() -> nn.Module:
    torch.manual_seed(0)
    settings = {"preset": "nano", "patch": 4, "channels": 3, "size": 16, "drop_path": 0.5}
    net: nn.Module = registry.build("backbones.vit", settings)
    return net


def kept(net: nn.Module) -> tuple[int, list[Tensor]]:
    """Bytes that the forward pass keeps, weights among them, and all gradients."""
    found: dict[int, int] = {}

    def note(value: Tensor) -> Tensor:
        found[value.untyped_storage().data_ptr()] = value.untyped_storage().nbytes()
        return value

    images = torch.randn(8, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    draw = torch.arange(32).reshape(8, 4)
    with torch.autograd.graph.saved_tensors_hooks(note, lambda value: value):
        out = net(images, draw=draw)
        size = sum(found.values())
    out.cls.square().mean().backward()
    return size, [p.grad for p in net.parameters() if p.grad is not None]


def test_transformer_layers_and_residual_blocks_are_found_and_heads_have_none() -> None:
    resnet = registry.build("backbones.resnet", {"depth": 18, "width": 8, "channels": 3})
    head = registry.build("heads.mlp", {"hidden": [8, 8], "out": 4, "dim": 8})
    decoder = registry.build("heads.mae_decoder", {"dim": 16, "heads": 2, "depth": 3, "width": 8, "patches": 4})
    assert [type(block).__name__ for block in blocks(vit())] == ["_Block"] * 4
    assert [type(block).__name__ for block in blocks(resnet)] == ["BasicBlock"] * 8
    assert len(blocks(decoder)) == 3 and blocks(head) == []


def test_recomputing_changes_no_gradient_and_keeps_less() -> None:
    plain, again = vit(), vit()
    names = list(again.state_dict())
    recompute("f", again)
    assert list(again.state_dict()) == names
    (size, expected), (less, found) = kept(plain), kept(again)
    assert less < 0.6 * size
    assert len(found) == len(expected) > 0
    for mine, theirs in zip(found, expected, strict=True):
        assert mine.equal(theirs)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_a_copy_of_a_recomputed_net_computes_once_more_with_its_own_weights(
    copied: Callable[[nn.Module], nn.Module],
) -> None:
    net, (size, expected) = vit(), kept(vit())
    recompute("f", net)
    other = copied(copied(net))
    with torch.no_grad():
        for p in net.parameters():
            p.zero_()
    less, found = kept(other)
    assert less < 0.6 * size and all(p.grad is None for p in net.parameters())
    assert len(found) == len(expected) and all(map(torch.equal, found, expected))


@pytest.mark.parametrize(("use", "settings", "problem"), [
    ("backbones.resnet", {"depth": 18, "width": 8, "channels": 3}, "BatchNorm, whose running statistics would be wri"),
    ("heads.mlp", {"hidden": [8], "out": 4, "dim": 8}, "'f' repeats no blocks"),
])  # fmt: skip
def test_what_can_not_be_computed_twice_is_refused(use: str, settings: dict[str, object], problem: str) -> None:
    with pytest.raises(SslgraphError, match=re.escape(problem)):
        recompute("f", registry.build(use, settings))
