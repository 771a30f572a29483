"""The vision transformer against timm's, MAE's table and counts, and the laws of hidden tokens."""

import math
from typing import Any

import pytest
import torch
from timm.models.vision_transformer import VisionTransformer

from sslgraph.components.backbones.stochastic_depth import kept_terms
from sslgraph.components.backbones.vit import ViT, sine_cosine_table
from sslgraph.draws import keyed, permutation

IMAGES = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
DRAW = keyed(0, 0, torch.arange(3))
SEEN = permutation(DRAW, 16)[:, :4]


def nano(**settings: Any) -> ViT:
    return ViT(preset="nano", patch=8, channels=3, size=32, **settings)


def test_it_is_timms_network_on_the_same_weights() -> None:
    theirs = VisionTransformer(32, 8, embed_dim=96, depth=4, num_heads=3, num_classes=0, init_values=0.1)
    ours = nano(layer_scale=0.1)
    ours.net.load_state_dict(theirs.state_dict())
    out = ours(IMAGES)
    torch.testing.assert_close(out.tokens, theirs.forward_features(IMAGES))
    torch.testing.assert_close(out.cls, out.tokens[:, 0])
    torch.testing.assert_close(out.pooled, out.tokens[:, 1:].mean(1))


@pytest.mark.parametrize(
    ("preset", "patch", "numbers"),
    [("tiny", 16, 5_524_416), ("small", 16, 21_665_664), ("base", 16, 85_798_656), ("large", 16, 303_301_632),
     ("small", 8, 21_670_272), ("base", 8, 85_807_872)],
)  # fmt: skip
def test_presets_have_the_papers_number_of_weights(preset: str, patch: int, numbers: int) -> None:
    with torch.device("meta"):
        assert sum(p.numel() for p in ViT(preset=preset, patch=patch, channels=3, size=224).parameters()) == numbers


def test_the_encoder_of_mae_on_cifar_counts_21_338_496_with_its_table() -> None:
    with torch.device("meta"):
        net = ViT(preset="small", patch=4, positions="sincos", channels=3, size=32)
    assert sum(v.numel() for v in net.state_dict().values()) == 21_338_496
    assert "pos_embed" not in dict(net.net.named_parameters())


def test_the_first_half_of_the_table_encodes_the_column() -> None:
    table = sine_cosine_table(8, 3)[0]
    assert table[0].abs().max() == 0
    row, column = 2, 1
    wave = [math.sin(column), math.sin(column / 100), math.cos(column), math.cos(column / 100),
            math.sin(row), math.sin(row / 100), math.cos(row), math.cos(row / 100)]  # fmt: skip
    torch.testing.assert_close(table[1 + 3 * row + column], torch.tensor(wave))


def test_pixels_of_dropped_patches_do_not_change_a_bit_of_the_output() -> None:
    net = nano(positions="sincos", init="mae").eval()
    hidden = torch.ones(3, 16).scatter(1, SEEN, 0).unflatten(1, (4, 4)).bool()
    pixels = hidden.repeat_interleave(8, 1).repeat_interleave(8, 2)[:, None]
    other = torch.where(pixels, torch.randn_like(IMAGES), IMAGES)
    assert torch.equal(net(other, SEEN).tokens, net(IMAGES, SEEN).tokens)
    assert not torch.equal(net(other).tokens, net(IMAGES).tokens)


def test_the_order_of_the_kept_patches_is_the_order_of_the_outputs() -> None:
    net = nano()
    order = torch.tensor([2, 0, 3, 1])
    one, other = net(IMAGES, SEEN), net(IMAGES, SEEN[:, order])
    torch.testing.assert_close(other.patches, one.patches[:, order])
    torch.testing.assert_close(other.cls, one.cls)


def test_keeping_every_patch_in_place_is_dropping_none() -> None:
    net = nano()
    torch.testing.assert_close(net(IMAGES, torch.arange(16).expand(3, -1)).tokens, net(IMAGES).tokens)


def test_replaced_patches_are_unseen_and_others_are_not() -> None:
    net = nano(mask_token=True).eval()
    all_hidden = torch.ones(3, 16, dtype=torch.bool)
    out = net(IMAGES, replace=all_hidden).tokens
    torch.testing.assert_close(out, out[:1].expand_as(out))
    assert torch.equal(net(IMAGES, replace=~all_hidden).tokens, net(IMAGES).tokens)


def test_a_mask_needs_a_mask_token() -> None:
    with pytest.raises(ValueError, match="set mask_token: true"):
        nano()(IMAGES, replace=torch.ones(3, 16, dtype=torch.bool))


def test_registers_are_read_by_the_others_and_do_not_come_out() -> None:
    net = nano(registers=4)
    before = net(IMAGES).tokens
    assert before.shape == (3, 17, 96)
    with torch.no_grad():
        net.registers.normal_()
    assert not torch.allclose(net(IMAGES).tokens, before)


def test_positions_for_another_size_are_dinos() -> None:
    net = nano()
    small = IMAGES[..., :16, :16]
    table = net.net.pos_embed[:, 1:].reshape(1, 4, 4, 96).permute(0, 3, 1, 2)
    expected = torch.nn.functional.interpolate(table, scale_factor=2.1 / 4, mode="bicubic")
    torch.testing.assert_close(net._positions(2), expected.permute(0, 2, 3, 1).reshape(1, 4, 96))
    assert net(small).patches.shape == (3, 4, 96)


def test_drop_path_skips_samples_at_a_rising_rate_and_keeps_the_mean() -> None:
    draw = keyed(0, 0, torch.arange(4000))
    keep = kept_terms(draw, nano(drop_path=0.6).rates)
    skipped = (keep == 0).float().mean((0, 2))
    torch.testing.assert_close(skipped, torch.tensor([0.0, 0.2, 0.4, 0.6]), atol=0.02, rtol=0)
    torch.testing.assert_close(keep.mean((0, 2)), torch.ones(4), atol=0.05, rtol=0)


def test_a_sample_whose_last_terms_are_skipped_stays_as_the_block_before_left_it() -> None:
    net = nano(drop_path=0.5)
    tokens = torch.randn(2, 5, 96)
    block = net.net.blocks[3]
    out = block(tokens, torch.tensor([[0.0, 0.0], [1.0, 1.0]]))
    assert torch.equal(out[0], tokens[0])
    torch.testing.assert_close(out[1], block(tokens)[1])


def test_drop_path_is_a_function_of_the_sample_and_absent_in_eval() -> None:
    net = nano(drop_path=0.5)
    order = torch.tensor([2, 0, 1])
    torch.testing.assert_close(net(IMAGES[order], draw=DRAW[order]).cls, net(IMAGES, draw=DRAW).cls[order])
    plain = nano()
    plain.load_state_dict(net.state_dict())
    torch.testing.assert_close(net.eval()(IMAGES).cls, plain(IMAGES).cls)
    with pytest.raises(ValueError, match="drop_path is drawn for each sample"):
        net.train()(IMAGES)


def test_maes_start_is_xavier_and_the_bias_of_patches_torchs_own() -> None:
    net = nano(init="mae").net
    bound = math.sqrt(6 / (96 + 3 * 96))
    assert 0.98 * bound < net.blocks[0].attn.qkv.weight.abs().max() <= bound
    bound = math.sqrt(6 / (96 + 3 * 64))
    assert 0.98 * bound < net.patch_embed.proj.weight.abs().max() <= bound
    assert 0 < net.patch_embed.proj.bias.abs().max() <= 1 / math.sqrt(3 * 64)


def test_dinos_class_token_has_the_spread_of_its_other_weights() -> None:
    assert 0.01 < nano(init="dino").net.cls_token.std() < 0.03 and nano().net.cls_token.std() < 1e-5


def test_a_patch_that_does_not_divide_the_image_is_refused() -> None:
    with pytest.raises(ValueError, match=r"patches of 16 pixels do not divide an image of 40; .* 32 for example"):
        ViT(channels=3, size=40)


@pytest.mark.slow
def test_it_is_captured_whole_by_torch_compile() -> None:
    net = nano(drop_path=0.2)
    compiled = torch.compile(net, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(IMAGES, SEEN, draw=DRAW).tokens, net(IMAGES, SEEN, draw=DRAW).tokens)


def test_the_last_blocks_come_out_before_the_norm_without_what_is_no_patch() -> None:
    net = nano(layers=2, registers=3)
    out = net(IMAGES)
    assert out.layers.shape == (3, 2, 16, 96) and nano()(IMAGES).layers.shape == (3, 0, 16, 96)
    torch.testing.assert_close(net.net.norm(out.layers[:, -1]), out.patches)
    assert net(IMAGES, SEEN).layers.shape == (3, 2, 4, 96)
    # The class tokens of the same blocks side by side, each after the last LayerNorm: DINO's features of a ViT-S.
    given: list[torch.Tensor] = []
    for block in net.net.blocks:
        block.register_forward_hook(lambda _module, _inputs, tokens: given.append(tokens))
    out = net(IMAGES)
    torch.testing.assert_close(out.classes, torch.cat([net.net.norm(tokens)[:, 0] for tokens in given[-2:]], 1))
    torch.testing.assert_close(out.classes[:, 96:], out.cls)
    assert nano()(IMAGES).classes.shape == (3, 0)
    with pytest.raises(ValueError, match="layers: 5 are more than the 4 blocks of preset nano; make it smaller"):
        nano(layers=5)


def test_the_class_tokens_attention_is_that_which_the_last_block_uses() -> None:
    net = nano(attention=True)
    found, seen = [], torch.nn.functional.scaled_dot_product_attention

    def watched(q: Any, k: Any, v: Any, **_: Any) -> Any:
        found.append((q @ k.mT / q.shape[-1] ** 0.5).softmax(-1))
        return seen(q, k, v)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.nn.functional, "scaled_dot_product_attention", watched)
        out = net(IMAGES)
    torch.testing.assert_close(out.attention, found[-1][:, :, 0, 1:])
    assert out.attention.shape == (3, 3, 16) and nano()(IMAGES).attention.shape == (3, 0, 16)


def test_ijepas_and_msns_patches_and_class_tokens_start_as_in_their_code() -> None:
    for init, deviation, token in (("ijepa", 0.02, 1e-6), ("msn", (2 / 192) ** 0.5, 0.02)):
        net = ViT(preset="small", patch=8, channels=3, size=32, init=init).net
        assert net.patch_embed.proj.weight.std().item() == pytest.approx(deviation, rel=0.02)
        assert not net.patch_embed.proj.bias.any()
        assert net.cls_token.std().item() == pytest.approx(token, rel=0.2)
        assert net.blocks[1].mlp.fc2.weight.std().item() == pytest.approx(0.02, rel=0.02)
