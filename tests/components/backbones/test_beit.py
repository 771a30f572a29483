"""BEiT's transformer: timm's network, the papers' counts, relative places, and the laws of hidden patches."""

from typing import Any

import pytest
import torch
from timm.models.beit import Beit

from sslgraph.components.backbones.beit import BeitViT
from sslgraph.draws import keyed

IMAGES = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
HIDDEN = torch.zeros(3, 16, dtype=torch.bool)
HIDDEN[:, [1, 2, 5, 6]] = True


def nano(**settings: Any) -> BeitViT:
    return BeitViT(preset="nano", patch=8, channels=3, size=32, **settings)


def test_it_is_timms_network_on_the_same_weights() -> None:
    theirs = Beit(
        32, 8, num_classes=0, global_pool="", embed_dim=96, depth=4, num_heads=3, init_values=0.1,
        use_abs_pos_emb=False, use_shared_rel_pos_bias=True,
    )  # fmt: skip
    torch.nn.init.normal_(theirs.rel_pos_bias.relative_position_bias_table)
    ours = nano()
    ours.net.load_state_dict(theirs.state_dict())
    out = ours(IMAGES)
    torch.testing.assert_close(out.tokens, theirs.forward_features(IMAGES))
    torch.testing.assert_close(out.pooled, out.tokens[:, 1:].mean(1))


def test_the_model_of_pretraining_has_the_papers_number_of_weights() -> None:
    with torch.device("meta"):
        net = BeitViT(patch=16, mask_token=True, channels=3, size=224)
    assert sum(p.numel() for p in net.parameters()) == 85_666_128
    assert net.net.rel_pos_bias.relative_position_bias_table.shape == (732, 12)


def test_places_are_relative_and_the_class_token_has_rows_of_its_own() -> None:
    index = nano().net.rel_pos_bias.relative_position_index
    rows = (2 * 4 - 1) ** 2
    assert (index[0, 1:] == rows).all() and (index[1:, 0] == rows + 1).all() and index[0, 0] == rows + 2
    assert len(index.diagonal()[1:].unique()) == 1
    pairs = index[1:, 1:].view(4, 4, 4, 4)
    assert pairs[0, 0, 1, 2] == pairs[2, 1, 3, 3] != pairs[1, 2, 0, 0]


def test_what_is_hidden_does_not_matter_and_its_place_does() -> None:
    net = nano(mask_token=True).eval()
    torch.nn.init.normal_(net.net.rel_pos_bias.relative_position_bias_table)
    pixels = HIDDEN.view(3, 1, 4, 4).repeat_interleave(8, 2).repeat_interleave(8, 3)
    out, other = net(IMAGES, HIDDEN), net(torch.where(pixels, 5.0, IMAGES), HIDDEN)
    assert torch.equal(out.tokens, other.tokens)
    assert not torch.allclose(out.patches[:, 1], out.patches[:, 2])


def test_the_last_layers_come_out_and_those_behind_the_last_norm_are_made_of_them() -> None:
    out = nano(layers=2)(IMAGES)
    assert out.layers.shape == (3, 2, 16, 96) and nano()(IMAGES).layers.shape == (3, 0, 16, 96)
    net = nano(layers=4)
    whole = net(IMAGES)
    torch.testing.assert_close(net.net.norm(whole.layers[:, -1]), whole.patches)


def test_drop_path_is_each_images_own_and_needs_its_draw() -> None:
    net, draw = nano(drop_path=0.5), keyed(0, 0, torch.arange(3))
    out = net(IMAGES, draw=draw).tokens
    torch.testing.assert_close(net(IMAGES[1:2], draw=draw[1:2]).tokens, out[1:2])
    assert not torch.allclose(net.eval()(IMAGES).tokens, out)
    with pytest.raises(ValueError, match="give the port draw, or set drop_path: 0"):
        net.train()(IMAGES)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nano(layers=5), "layers: 5 are more than the 4 blocks of preset nano; make it smaller"),
        (lambda: BeitViT(patch=7, channels=3, size=32), "patches of 7 pixels do not divide an image of 32"),
        (lambda: nano()(IMAGES, HIDDEN), "set mask_token: true"),
        (lambda: nano()(torch.zeros(1, 3, 16, 16)), "are those of images of 32 pixels, and this one has 16"),
    ],
)
def test_what_does_not_fit_is_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_weights_start_as_those_of_the_authors_cut_off_at_one_deviation() -> None:
    net = BeitViT(preset="tiny", patch=8, channels=3, size=32, mask_token=True)
    blocks = net.net.blocks
    deviation = 0.02 * 0.539560  # of a normal variable between -1 and 1
    cut = [(blocks[3].attn.qkv, 1), (blocks[3].mlp.fc2, 8), (blocks[0].attn.proj, 2), (net.net.patch_embed.proj, 1)]
    for layer, divisor in cut:
        weight = layer.weight
        assert weight.abs().max() <= 0.02 / divisor**0.5 + 1e-7
        assert weight.std().item() == pytest.approx(deviation / divisor**0.5, rel=0.02)
    assert net.net.cls_token.abs().max() <= 0.02 and net.mask_token is not None and net.mask_token.abs().max() <= 0.02
    assert not net.net.patch_embed.proj.bias.any() and not blocks[0].mlp.fc1.bias.any()
