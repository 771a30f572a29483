"""The patch discriminator: stages, and one unbounded logit a patch."""

import torch

from sslgraph.components.heads.patch_discriminator import PatchDiscriminator


def test_a_patch_of_64_goes_through_the_papers_channels_to_one_logit() -> None:
    with torch.device("meta"):
        judge = PatchDiscriminator(channels=3, size=64)
        assert judge(torch.empty(5, 3, 64, 64)).shape == (5,)
    widths = [layer.out_channels for layer in judge.halvings if isinstance(layer, torch.nn.Conv2d)]
    assert widths == [64, 128, 256, 512]


def test_the_logit_is_not_squashed() -> None:
    judge = PatchDiscriminator(width=4, channels=3, size=8)
    with torch.no_grad():
        judge.judge.weight.zero_()
        judge.judge.bias.fill_(-3.0)
    assert judge(torch.randn(2, 3, 8, 8)).tolist() == [-3.0, -3.0]


def test_only_the_first_stage_goes_without_batch_norm() -> None:
    kinds = [type(layer).__name__ for layer in PatchDiscriminator(width=4, channels=3, size=16).halvings]
    assert kinds == ["Conv2d", "LeakyReLU", "Conv2d", "BatchNorm2d", "LeakyReLU"]
