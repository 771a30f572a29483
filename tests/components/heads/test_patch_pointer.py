"""The patch pointer: one u for all places, blind to hidden patches and to the order of seen ones."""

import pytest
import torch

from sslgraph.components.heads.patch_pointer import PatchPointer

ORDER = torch.tensor([[3, 1, 0, 2], [0, 2, 1, 3]])
SEEN, RESTORE = ORDER[:, :2], ORDER.argsort(1)
PATCHES = torch.randn(2, 2, 2, 8, generator=torch.Generator().manual_seed(0))


def pointer(**settings: bool) -> PatchPointer:
    torch.manual_seed(0)
    return PatchPointer(layers=2, heads=2, hidden=6, grid=2, dim=8, **settings)


def test_queries_are_u_plus_positions_and_choices_the_hidden_patches() -> None:
    net = pointer()
    found = net(PATCHES, SEEN, RESTORE)
    assert torch.equal(found.choice, torch.stack([PATCHES.flatten(1, 2)[i, ORDER[i, 2:]] for i in range(2)]))
    u = found.query - net.positions[ORDER[:, 2:]]
    torch.testing.assert_close(u[:, 0], u[:, 1])


@pytest.mark.parametrize("place_seen", [False, True])
def test_what_is_hidden_changes_no_query_and_what_is_seen_does(place_seen: bool) -> None:
    net, patches = pointer(place_seen=place_seen), PATCHES.clone().requires_grad_()
    net(patches, SEEN, RESTORE).query.square().sum().backward()
    grad = patches.grad.flatten(1, 2).abs().sum(2)
    assert [row.nonzero()[:, 0].tolist() for row in grad] == [sorted(row) for row in SEEN.tolist()]


def test_the_order_of_seen_patches_does_not_matter() -> None:
    torch.testing.assert_close(pointer()(PATCHES, SEEN.flip(1), RESTORE).query, pointer()(PATCHES, SEEN, RESTORE).query)


def test_heads_that_do_not_divide_are_refused() -> None:
    with pytest.raises(ValueError, match="3 heads do not divide 8 features; set heads"):
        PatchPointer(heads=3, grid=2, dim=8)
