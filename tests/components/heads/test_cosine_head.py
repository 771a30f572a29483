"""The cosine classifier: lengths do not matter, the gain does."""

from __future__ import annotations

import torch

from sslgraph.components.heads.cosine import Cosine


def test_a_score_is_a_cosine_whatever_the_lengths() -> None:
    head, features = Cosine(out=3, dim=5), torch.randn(2, 4, 5)
    expected = torch.nn.functional.cosine_similarity(features[..., None, :], head.rows.weight, dim=-1)
    torch.testing.assert_close(head(features), expected)
    torch.testing.assert_close(head(7 * features), expected)
    with torch.no_grad():
        head.rows.weight.mul_(3)
    torch.testing.assert_close(head(features), expected)
    assert [name for name, _ in head.named_parameters()] == ["rows.weight"]


def test_a_trained_gain_starts_at_1_and_scales_the_scores_of_its_row() -> None:
    head, features = Cosine(out=3, dim=5, trained_gain=True), torch.randn(2, 5)
    before = head(features)
    assert before.abs().max() <= 1
    with torch.no_grad():
        head.rows.gain[1] = 4
    torch.testing.assert_close(head(features), before * torch.tensor([1.0, 4, 1]))
