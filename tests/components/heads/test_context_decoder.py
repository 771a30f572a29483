"""The context decoder's stages, and the range of what it paints."""

import pytest
import torch

from sslgraph.components.heads.context_decoder import ContextDecoder


def test_a_hole_of_64_is_painted_through_the_papers_channels() -> None:
    with torch.device("meta"):
        decoder = ContextDecoder(dim=4000)
        out = decoder(torch.empty(2, 4000))
    widths = [decoder.start[0].out_channels, *(stage[0].out_channels for stage in decoder.doublings)]
    assert widths == [512, 256, 128, 64]
    assert out.shape == (2, 3, 64, 64)


def test_a_small_hole_takes_fewer_doublings() -> None:
    assert ContextDecoder(size=16, width=8, dim=10)(torch.randn(3, 10)).shape == (3, 3, 16, 16)


def test_tanh_bounds_the_pixels_and_none_does_not() -> None:
    bounded, free = (ContextDecoder(size=8, width=8, output=output, dim=10) for output in ("tanh", "none"))
    free.load_state_dict(bounded.state_dict())
    code = torch.randn(3, 10)
    torch.testing.assert_close(bounded(code), free(code).tanh())


def test_a_hole_that_does_not_halve_to_4_is_refused() -> None:
    with pytest.raises(ValueError, match="20 is no power of 2 from 8 on"):
        ContextDecoder(size=20, dim=10)
