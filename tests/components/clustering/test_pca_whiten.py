import pytest
import torch

from sslgraph.components.clustering.pca_whiten import PcaWhiten
from sslgraph.errors import SettingError


def features(images: int = 200, dim: int = 6) -> torch.Tensor:
    mixing = torch.eye(dim, dtype=torch.float64) + 0.3 * torch.randn(dim, dim, dtype=torch.float64)
    return torch.randn(images, dim, dtype=torch.float64) @ mixing + 5


def covariance(rows: torch.Tensor) -> torch.Tensor:
    return torch.cov(rows.T, correction=0)


def test_whitened_features_have_mean_zero_and_the_identity_for_covariance() -> None:
    white = PcaWhiten(out=4)(features())
    torch.testing.assert_close(white.mean(0), torch.zeros(4).double())
    torch.testing.assert_close(covariance(white), torch.eye(4).double())


def test_at_power_zero_distances_are_kept() -> None:
    x = features()
    torch.testing.assert_close(
        torch.cdist(PcaWhiten(out=6, power=0.0)(x), PcaWhiten(out=6, power=0.0)(x)),
        torch.cdist(x, x),
        atol=1e-2,
        rtol=1e-3,
    )


def test_components_come_by_falling_variance_as_in_a_singular_value_decomposition() -> None:
    x = features()
    variances = PcaWhiten(out=6, power=0.0)(x).var(0, correction=0)
    expected = torch.linalg.svdvals(x - x.mean(0)).square() / len(x)
    torch.testing.assert_close(variances, expected)


def test_signs_do_not_hang_on_the_order_of_the_images() -> None:
    x, order = features(), torch.randperm(200)
    torch.testing.assert_close(PcaWhiten(out=4)(x[order]), PcaWhiten(out=4)(x)[order])


def test_a_feature_that_is_constant_stays_finite() -> None:
    assert PcaWhiten(out=6)(features() * torch.tensor([1, 1, 1, 1, 1, 0])).isfinite().all()


def test_more_components_than_there_are_is_refused() -> None:
    for images, dim, value in ((200, 6, 6), (5, 6, 4)):
        with pytest.raises(SettingError, match=f"have at most {value} principal components, and out is 7") as caught:
            PcaWhiten(out=7)(features()[:images, :dim])
        assert (caught.value.setting, caught.value.value) == ("out", value)
