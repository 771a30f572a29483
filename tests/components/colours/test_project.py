"""The projection of colours: the paper's matrix, and the laws of a projection."""

import torch

from sslgraph.components.colours.project import Project


def test_it_is_the_papers_matrix() -> None:
    expected = [[5 / 6, 1 / 3, -1 / 6], [1 / 3, 1 / 3, 1 / 3], [-1 / 6, 1 / 3, 5 / 6]]
    torch.testing.assert_close(Project().matrix, torch.tensor(expected))


def test_it_takes_green_against_the_others_out_and_nothing_else() -> None:
    images = torch.rand(2, 3, 4, 4)
    found = Project()(images)
    torch.testing.assert_close(Project()(found), found)
    torch.testing.assert_close(found[:, 1], images.mean(1))
    grey = images[:, :1].expand(-1, 3, -1, -1)
    torch.testing.assert_close(Project()(grey), grey)
    axis = torch.tensor([-1.0, 2, -1]).view(1, 3, 1, 1).expand(1, 3, 2, 2)
    torch.testing.assert_close(Project()(axis), torch.zeros(1, 3, 2, 2), atol=1e-6, rtol=0)
