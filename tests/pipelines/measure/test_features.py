"""Features: one row an image in the order of the data set, with the encoder left as it was found."""

import pytest
import torch
from sources import Numbered
from torch import Tensor, nn

from sslgraph.errors import SslgraphError
from sslgraph.pipelines.measure.features import Features, extract
from sslgraph.read.spec import Augmentation, Part, View
from sslgraph.views.views import ViewProgram

NORMALIZED = Augmentation(augmentation="n", steps={"n": Part(use="augment.normalize")})


def program(*names: str) -> ViewProgram:
    return ViewProgram.build({name: View(augment="n") for name in names}, {"n": NORMALIZED})


def test_rows_follow_the_data_set_whatever_the_batch() -> None:
    source = Numbered(11, labels=torch.arange(11) % 3)
    found = [extract(nn.Flatten(), source, program("x"), batch=batch) for batch in (4, 11)]
    assert torch.equal(found[0].values, found[1].values) and found[0].labels is not None
    assert found[0].values[:, 0].argsort().tolist() == list(range(11)) == found[0].index.tolist()
    assert found[0].labels.tolist() == [i % 3 for i in range(11)]


def test_an_image_that_cannot_be_read_is_left_out_with_its_label() -> None:
    found = extract(nn.Flatten(), Numbered(5, labels=torch.arange(5), unreadable=(1,)), program("x"))
    assert found.index.tolist() == [0, 2, 3, 4] and found.labels is not None and found.labels.tolist() == [0, 2, 3, 4]


def test_the_encoder_runs_in_eval_mode_without_gradient_and_is_left_as_it_was() -> None:
    encoder = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(48), nn.Linear(48, 2))
    encoder[2].eval()
    found = extract(encoder, Numbered(6), program("x"), batch=3)
    assert not found.values.requires_grad and found.labels is None
    assert [module.training for module in encoder] == [True, True, False]
    assert encoder[1].num_batches_tracked == 0


def test_features_are_float32_whatever_the_precision() -> None:
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(48, 2))
    assert extract(encoder, Numbered(3), program("x"), precision=torch.bfloat16).values.dtype == torch.float32


def test_two_views_and_feature_maps_are_refused() -> None:
    with pytest.raises(SslgraphError, match="taken of one view, and this program makes: x, y"):
        extract(nn.Flatten(), Numbered(3), program("x", "y"))
    with pytest.raises(SslgraphError, match=r"one row of features an image, and this one gives \(3, 3, 4, 4\)"):
        extract(nn.Identity(), Numbered(3), program("x"))


@pytest.mark.parametrize(
    ("values", "labels", "message"),
    [
        (torch.zeros(2, 3), None, "the data has none; training needs none"),
        (torch.zeros(2, 3), torch.tensor([-1, -1]), "the data has none"),
        (torch.tensor([[0.0], [torch.nan]]), torch.tensor([0, 1]), "of 1 of 2 images are nan or infinite: the encoder"),
    ],
)
def test_what_cannot_be_compared_is_refused(values: Tensor, labels: Tensor | None, message: str) -> None:
    with pytest.raises(SslgraphError, match=message):
        Features(values, torch.arange(2), labels).labelled()
