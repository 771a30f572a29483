"""The cross-attention predictor: what reaches which prediction, its size, and its places."""

from __future__ import annotations

import pytest
import torch

from sslgraph.components.heads.cross_predictor import CrossPredictor

SEEN = torch.tensor([[0, 2, 5, 7, 9], [1, 2, 3, 4, 5]])
WANTED = torch.tensor([[10, 11, 14], [8, 9, 10]])
HIDDEN = torch.ones(2, 16, dtype=torch.bool).scatter(1, SEEN, False)


def small(**settings: int) -> CrossPredictor:
    torch.manual_seed(0)
    return CrossPredictor(**{"dim": 16, "depth": 2, "heads": 2, "width": 12, "patches": 16, **settings})


def test_its_size_is_that_of_attention_and_an_mlp_in_each_block() -> None:
    with torch.device("meta"):
        predictor = CrossPredictor(dim=1024, depth=12, heads=16, width=1024, patches=256)
    block = 12 * 1024**2 + 13 * 1024
    assert sum(p.numel() for p in predictor.parameters()) == 1025 * 1024 + 1024 + 12 * block + 2 * 1024


def test_a_prediction_does_not_depend_on_what_else_is_wanted() -> None:
    tokens = torch.randn(2, 5, 12)
    found = small()(tokens, SEEN, WANTED, HIDDEN)
    assert found.shape == (2, 3, 16)
    torch.testing.assert_close(small()(tokens, SEEN, WANTED[:, 1:], HIDDEN), found[:, 1:])
    blocks = small(out=5)(tokens, SEEN, WANTED[:, None], HIDDEN)
    assert blocks.shape == (2, 1, 3, 5)


def test_every_prediction_hangs_on_every_seen_token_of_its_image_and_not_on_their_order() -> None:
    tokens, order = torch.randn(2, 5, 12), torch.tensor([3, 1, 4, 0, 2])
    found = small()(tokens, SEEN, WANTED, HIDDEN)
    torch.testing.assert_close(small()(tokens[:, order], SEEN[:, order], WANTED, HIDDEN), found)
    other = tokens.clone()
    other[1, 4] += 1
    changed = small()(other, SEEN, WANTED, HIDDEN) != found
    assert not changed[0].any() and changed[1].any(-1).all()


def test_one_block_by_hand() -> None:
    predictor = small(depth=1)
    tokens = torch.randn(2, 5, 12)
    places, block = predictor.positions[0], predictor.blocks[0]
    keys = predictor.embed(tokens[0]) + places[SEEN[0]]
    asked = predictor.mask_token[0, 0] + places[11]
    projected = torch.nn.functional.linear(keys, block.attention.in_proj_weight[16:])
    query = torch.nn.functional.linear(block.norm1(asked), block.attention.in_proj_weight[:16])
    heads = []
    for head in range(2):
        of_head = slice(8 * head, 8 * head + 8)
        key, value = projected[:, :16][:, of_head], projected[:, 16:][:, of_head]
        heads.append((key @ query[of_head] / 8**0.5).softmax(0) @ value)
    asked = asked + block.attention.out_proj(torch.cat(heads))
    asked = asked + block.mlp(block.norm2(asked))
    found = predictor(tokens, SEEN, WANTED, HIDDEN)[0, 1]
    torch.testing.assert_close(found, predictor.norm(asked), atol=1e-5, rtol=1e-4)


def test_heads_that_do_not_divide_the_width_are_refused() -> None:
    with pytest.raises(ValueError, match="3 heads do not divide a width of 16; set dim or heads"):
        small(heads=3)
