"""Attention over the rows of an image: what it leaves out, what the order of rows tells."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from sslgraph.components.backbones.vit import sine_cosine_table
from sslgraph.components.heads.transformer import Transformer

ROWS = torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(0))


def test_without_positions_the_rows_come_in_any_order() -> None:
    part, order = Transformer(depth=2, heads=2, dim=8, places=5), torch.tensor([3, 0, 4, 1, 2])
    torch.testing.assert_close(part(ROWS[:, order]).tokens, part(ROWS).tokens[:, order])
    placed = Transformer(depth=2, heads=2, dim=8, places=5, positions="learned")
    assert (placed(ROWS[:, order]).tokens - placed(ROWS).tokens[:, order]).abs().max() > 1e-4


def test_images_do_not_see_each_other_and_the_first_row_is_the_first_token() -> None:
    part = Transformer(depth=2, heads=2, dim=8, places=5)
    found = part(ROWS)
    torch.testing.assert_close(part(ROWS[1:]).tokens, found.tokens[1:])
    assert torch.equal(found.first, found.tokens[:, 0])


@pytest.mark.parametrize("positions", ["none", "learned", "sincos"])
def test_a_causal_row_changes_no_row_before_it(positions: Any) -> None:
    part = Transformer(depth=2, heads=2, dim=8, places=5, attention="causal", positions=positions)
    before = part(ROWS).tokens
    for place in range(5):
        changed = ROWS.clone()
        changed[:, place, 0] += 1
        moved = (part(changed).tokens - before).abs().amax((0, 2)) > 1e-6
        assert moved.tolist() == [row >= place for row in range(5)]
    everything = Transformer(depth=2, heads=2, dim=8, places=5, positions=positions)
    changed = ROWS.clone()
    changed[:, 4, 0] += 1
    assert ((everything(changed).tokens - everything(ROWS).tokens).abs().amax((0, 2)) > 1e-6).all()


def test_causal_attention_is_that_of_torch() -> None:
    """The same weights in torch's own encoder layer, with its own mask."""
    part = Transformer(depth=1, heads=2, dim=8, places=5, attention="causal")
    ours = part.blocks[0]
    layer = nn.TransformerEncoderLayer(8, 2, 32, 0.0, "gelu", 1e-6, batch_first=True, norm_first=True)
    pairs = (
        (layer.norm1, ours.norm1),
        (layer.norm2, ours.norm2),
        (layer.linear1, ours.mlp.fc1),
        (layer.linear2, ours.mlp.fc2),
        (layer.self_attn.out_proj, ours.attn.proj),
    )
    for theirs, mine in pairs:
        theirs.load_state_dict(mine.state_dict())
    layer.self_attn.in_proj_weight.data, layer.self_attn.in_proj_bias.data = ours.attn.qkv.weight, ours.attn.qkv.bias
    mask = nn.Transformer.generate_square_subsequent_mask(5)
    torch.testing.assert_close(part(ROWS).tokens, part.norm(layer(ROWS, mask, is_causal=True)))


def test_sines_and_cosines_are_those_of_a_vit_with_a_class_token_or_without() -> None:
    whole = sine_cosine_table(8, 2)
    placed = Transformer(heads=2, dim=8, places=5, positions="sincos")
    assert torch.equal(placed.get_buffer("positions"), whole) and "positions" not in placed.state_dict()
    patches = Transformer(heads=2, dim=8, places=4, positions="sincos")
    assert torch.equal(patches.get_buffer("positions"), whole[:, 1:])
    with pytest.raises(ValueError, match="a square number of patches and a width divisible by 4: 6, 8"):
        Transformer(dim=8, places=7, positions="sincos")


def test_heads_that_do_not_divide_the_width_are_refused() -> None:
    with pytest.raises(ValueError, match="3 heads do not divide a width of 8; set heads"):
        Transformer(heads=3, dim=8, places=5)
