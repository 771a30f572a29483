"""The token predictor: what reaches which prediction, its size, and its places."""

from __future__ import annotations

import pytest
import torch

from sslgraph.components.heads.token_predictor import TokenPredictor

SEEN = torch.tensor([[0, 2, 5, 7, 9], [1, 2, 3, 4, 5]])
WANTED = torch.tensor([[[10, 11], [14, 15]], [[8, 9], [10, 11]]])
HIDDEN = torch.ones(2, 16, dtype=torch.bool).scatter(1, SEEN, False)


def small(**settings: int) -> TokenPredictor:
    torch.manual_seed(0)
    return TokenPredictor(**{"dim": 16, "depth": 1, "heads": 2, "width": 12, "patches": 16, **settings})


def test_the_papers_predictor_for_a_base_encoder_has_its_number_of_weights() -> None:
    with torch.device("meta"):
        predictor = TokenPredictor(width=768, patches=196)
    block = 12 * 384**2 + 13 * 384
    assert sum(p.numel() for p in predictor.parameters()) == 769 * 384 + 384 + 6 * block + 2 * 384 + 385 * 768


def test_each_block_is_predicted_by_itself_from_all_seen_tokens() -> None:
    tokens = torch.randn(2, 5, 12)
    found = small()(tokens, SEEN, WANTED, HIDDEN)
    assert found.shape == (2, 2, 2, 12)
    torch.testing.assert_close(small()(tokens, SEEN, WANTED[:, 1:], HIDDEN), found[:, 1:])
    other = tokens.clone()
    other[1, 4] += 1
    changed = small()(other, SEEN, WANTED, HIDDEN) != found
    assert not changed[0].any() and changed[1].any(-1).all()


def test_the_order_of_seen_tokens_means_nothing() -> None:
    tokens, order = torch.randn(2, 5, 12), torch.tensor([3, 1, 4, 0, 2])
    found = small()(tokens[:, order], SEEN[:, order], WANTED, HIDDEN)
    torch.testing.assert_close(found, small()(tokens, SEEN, WANTED, HIDDEN), atol=1e-5, rtol=1e-4)


def test_without_blocks_a_prediction_is_the_mask_token_in_its_place() -> None:
    predictor = small(depth=0, out=7)
    found = predictor(torch.randn(2, 5, 12), SEEN, WANTED, HIDDEN)
    token = predictor.mask_token[0, 0, 0] + predictor.positions[0, 14]
    torch.testing.assert_close(found[0, 1, 0], predictor.last(predictor.norm(token)))


def test_heads_that_do_not_divide_the_width_are_refused() -> None:
    with pytest.raises(ValueError, match="3 heads do not divide a width of 16; set dim or heads"):
        small(heads=3)
