"""The row context looks up and to the sides, never down."""

import torch

from sslgraph.components.heads.row_context import RowContext


def test_no_row_below_reaches_a_place_and_those_above_do() -> None:
    net, grid = RowContext(steps=5, width=6, dim=8), torch.randn(2, 6, 6, 8, requires_grad=True)
    for row in range(6):
        (grad,) = torch.autograd.grad(net(grid)[:, row, 3].sum(), grid)
        assert grad[:, row + 1 :].eq(0).all()
        assert all(grad[:, above].abs().sum() > 0 for above in range(row + 1))


def test_a_step_by_hand() -> None:
    net = RowContext(steps=1, width=1, dim=1)
    for weight in net.parameters():
        torch.nn.init.ones_(weight) if weight.dim() == 4 else torch.nn.init.zeros_(weight)
    grid = torch.tensor([[1.0, 2.0], [3.0, 4.0]]).view(1, 2, 2, 1)
    # 1 x 3 gives the row's sum everywhere; 2 x 1 adds the row above; then the place itself.
    assert net(grid).flatten().tolist() == [1 + 3, 2 + 3, 3 + 10, 4 + 10]
