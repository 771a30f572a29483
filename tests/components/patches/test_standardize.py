import torch

from sslgraph.components.patches.standardize import Standardize


def test_each_image_by_itself_has_mean_0_and_variance_1_and_one_of_one_colour_is_0() -> None:
    images = torch.rand(2, 3, 6, 6) * 9
    images[1] = 7
    found = Standardize()(images).flatten(1)
    torch.testing.assert_close(found[0].mean(), torch.tensor(0.0), atol=1e-5, rtol=0)
    torch.testing.assert_close(found[0].var(correction=0), torch.tensor(1.0), atol=1e-4, rtol=0)
    assert found[1].eq(0).all()
