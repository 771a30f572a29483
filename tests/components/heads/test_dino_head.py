"""DINO's head: the dossier's counts, unit rows, and what the gain does."""

import pytest
import torch
from torch.nn.functional import normalize

from sslgraph.components.heads.dino import DinoHead


@pytest.mark.parametrize(
    ("dim", "out", "numbers"),
    [(384, 65536, 22_352_128), (768, 65536, 23_138_560), (1024, 65536, 23_662_848), (384, 8192, 7_614_720)],
)
def test_with_a_trained_gain_it_has_the_papers_number_of_weights(dim: int, out: int, numbers: int) -> None:
    with torch.device("meta"):
        free, fixed = (DinoHead(dim=dim, out=out, norm_last_layer=fixed) for fixed in (False, True))
    assert sum(p.numel() for p in free.parameters()) == numbers
    assert sum(p.numel() for p in fixed.parameters()) == numbers - out


def small(**settings: bool) -> DinoHead:
    return DinoHead(out=12, hidden=16, bottleneck=6, dim=8, **settings)


def test_logits_are_cosines_whatever_the_length_of_the_last_rows() -> None:
    head, features = small(), torch.randn(5, 8)
    before = head(features)
    assert before.abs().max() <= 1
    torch.testing.assert_close(before, normalize(head.mlp(features)) @ normalize(head.last.weight).T)
    with torch.no_grad():
        head.last.weight.mul_(7)
    torch.testing.assert_close(head(features), before)


def test_the_gain_starts_at_1_and_scales_each_prototype() -> None:
    fixed, free, features = small(), small(norm_last_layer=False), torch.randn(5, 8)
    free.load_state_dict(fixed.state_dict() | {"last.gain": free.last.gain})
    torch.testing.assert_close(free(features), fixed(features))
    with torch.no_grad():
        free.last.gain[3] = 2.0
    torch.testing.assert_close(free(features)[:, 3], 2 * fixed(features)[:, 3])


def test_patch_tokens_go_through_one_by_one() -> None:
    head, tokens = small(), torch.randn(2, 4, 8)
    torch.testing.assert_close(head(tokens)[1], head(tokens[1]))


def test_it_is_copied_like_any_module() -> None:
    import copy

    head, features = small(), torch.randn(3, 8)
    torch.testing.assert_close(copy.deepcopy(head)(features), head(features))
