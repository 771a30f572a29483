"""Given weights: every layout is written by the test from random weights, and gives what timm's own model gives."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from sslgraph.errors import SpecError, SslgraphError
from sslgraph.parts import registry
from sslgraph.pipelines.check.check import examine
from sslgraph.pipelines.check.request import request
from sslgraph.pipelines.launch.launch import launch
from sslgraph.pipelines.storage import checkpoint
from sslgraph.pipelines.weights.layouts import plain_name
from sslgraph.pipelines.weights.matched import matched
from sslgraph.pipelines.weights.opening import Opened, opened
from sslgraph.read.spec import Weights

Tensors = dict[str, Tensor]
# What Hugging Face's ViT calls what timm calls so, written down apart from the code under test.
HF_VIT = (
    (r"^cls_token$", "embeddings.cls_token"),
    (r"^pos_embed$", "embeddings.position_embeddings"),
    (r"^patch_embed\.proj\.", "embeddings.patch_embeddings.projection."),
    (r"^blocks\.(\d+)\.norm1\.", r"encoder.layer.\1.layernorm_before."),
    (r"^blocks\.(\d+)\.norm2\.", r"encoder.layer.\1.layernorm_after."),
    (r"^blocks\.(\d+)\.attn\.proj\.", r"encoder.layer.\1.attention.output.dense."),
    (r"^blocks\.(\d+)\.mlp\.fc1\.", r"encoder.layer.\1.intermediate.dense."),
    (r"^blocks\.(\d+)\.mlp\.fc2\.", r"encoder.layer.\1.output.dense."),
    (r"^norm\.", "layernorm."),
)
HF_DINOV2 = (
    *HF_VIT[:3],
    (r"^registers$", "embeddings.register_tokens"),
    (r"^mask_token$", "embeddings.mask_token"),
    (r"^blocks\.(\d+)\.attn\.proj\.", r"encoder.layer.\1.attention.output.dense."),
    (r"^blocks\.(\d+)\.ls(\d)\.gamma", r"encoder.layer.\1.layer_scale\2.lambda1"),
    (r"^blocks\.", "encoder.layer."),
    HF_VIT[8],
)
TORCHVISION_VIT = (
    (r"^cls_token$", "class_token"),
    (r"^pos_embed$", "encoder.pos_embedding"),
    (r"^patch_embed\.proj\.", "conv_proj."),
    (r"^blocks\.(\d+)\.norm(\d)\.", r"encoder.layers.encoder_layer_\1.ln_\2."),
    (r"^blocks\.(\d+)\.attn\.qkv\.", r"encoder.layers.encoder_layer_\1.self_attention.in_proj_"),
    (r"^blocks\.(\d+)\.attn\.proj\.", r"encoder.layers.encoder_layer_\1.self_attention.out_proj."),
    (r"^blocks\.(\d+)\.mlp\.fc1\.", r"encoder.layers.encoder_layer_\1.mlp.0."),
    (r"^blocks\.(\d+)\.mlp\.fc2\.", r"encoder.layers.encoder_layer_\1.mlp.3."),
    (r"^norm\.", "encoder.ln."),
)


def said(place: str, **more: Any) -> Weights:
    return Weights.model_validate({"from": place, **more})


def theirs(**settings: Any) -> VisionTransformer:
    """timm's own model, as wide and deep as our nano, with random weights everywhere."""
    torch.manual_seed(1)
    net = VisionTransformer(
        img_size=16, patch_size=4, embed_dim=96, depth=4, num_heads=3, num_classes=0, global_pool="", **settings
    )
    with torch.no_grad():
        for weight in net.parameters():
            weight.copy_(torch.randn_like(weight) * 0.1)
    return net.eval()


def ours(**settings: Any) -> nn.Module:
    built = registry.build("backbones.vit", {"preset": "nano", "patch": 4, "size": 16, "channels": 3, **settings})
    return built.eval()


def renamed(tensors: Tensors, rules: tuple[tuple[str, str], ...], *, split: bool = False) -> Tensors:
    found: Tensors = {}
    for name, tensor in tensors.items():
        if split and ".attn.qkv." in name:
            stem, kind = re.sub(r"^blocks", "encoder.layer", name.partition(".attn.")[0]), name.rpartition(".")[2]
            for word, piece in zip(("query", "key", "value"), tensor.chunk(3), strict=True):
                found[f"{stem}.attention.attention.{word}.{kind}"] = piece.clone()
            continue
        short = name
        for pattern, change in rules:
            short = re.sub(pattern, change, short)
        found[short] = tensor
    return found


def meta(tensors: Tensors) -> dict[str, Any]:
    """A training checkpoint of DINO: two nets, blocks in chunks, the words of its command line."""
    chunked = {re.sub(r"^blocks\.(\d)\.", r"blocks.\1.\1.", name): tensor for name, tensor in tensors.items()}
    student = {f"module.backbone.{name}": torch.zeros_like(tensor) for name, tensor in chunked.items()}
    teacher = {f"backbone.{name}": tensor for name, tensor in chunked.items()}
    return {"student": student, "teacher": teacher, "epoch": 3, "args": argparse.Namespace(lr=1)}


def twice(tensors: Tensors, start: str, first: str, second: str) -> Tensors:
    """Two nets of one form, of which the second is all zeros."""
    return {f"{start}{net}.{k}": v * (net == first) for net in (second, first) for k, v in tensors.items()}


LAYOUTS: dict[str, Callable[[Tensors], dict[str, Any]]] = {
    "timm": dict,
    "Meta": meta,
    "MAE": lambda tensors: {"model": tensors},
    "Hugging Face": lambda tensors: {f"vit.{k}": v for k, v in renamed(tensors, HF_VIT, split=True).items()},
    "torchvision": lambda tensors: renamed(tensors, TORCHVISION_VIT),
    "MoCo v3": lambda tensors: {"state_dict": twice(tensors, "module.", "base_encoder", "momentum_encoder")},
    "our run": lambda tensors: twice(tensors, "parts.", "f.net", "ft.net"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_vit_gives_what_timms_gives_with_the_weights_of_any_layout(layout: str, tmp_path: Path) -> None:
    model, net = theirs(), ours()
    torch.save(LAYOUTS[layout](model.state_dict()), tmp_path / "w.pth")
    found = matched("f", net, opened(str(tmp_path / "w.pth")), said("w.pth"))
    assert found.said.startswith(f"{len(model.state_dict())} of {len(model.state_dict())} weights of f from ")
    net.load_state_dict(found.state)
    image = torch.rand(2, 3, 16, 16)
    tokens = model.forward_features(image)
    torch.testing.assert_close(net(image).cls, tokens[:, 0])
    torch.testing.assert_close(net(image).patches, tokens[:, 1:])


@pytest.mark.parametrize("layout", ["Meta", "timm", "Hugging Face"])
def test_registers_and_layer_scale_of_dinov2_come_too(layout: str) -> None:
    """timm's table of positions has then no row for the class token; Meta's has one, and a mask token of two axes."""
    model = theirs(reg_tokens=2, no_embed_class=True, init_values=0.5)
    tensors = dict(model.state_dict())
    if layout != "timm":
        tensors["registers"] = tensors.pop("reg_token")
        tensors["pos_embed"] = torch.cat([torch.zeros(1, 1, 96), tensors["pos_embed"]], 1)
        tensors["mask_token"] = torch.zeros(1, 96)
    if layout == "Meta":
        tensors["register_tokens"] = tensors.pop("registers")
    if layout == "Hugging Face":
        tensors = renamed(tensors, HF_DINOV2, split=True)
    net = ours(registers=2, layer_scale=1.0, mask_token=True, size=8, table=16)  # other views are met first
    wish = said("x", **({"except": ["mask_token"]} if layout == "timm" else {}))
    net.load_state_dict({**net.state_dict(), **matched("f", net, Opened("x", tensors), wish).state})
    image = torch.rand(2, 3, 16, 16)
    torch.testing.assert_close(net(image).patches, model.forward_features(image)[:, 3:])


@pytest.mark.parametrize("layout", ["torchvision", "MoCo", "Hugging Face"])
def test_a_resnet_takes_torchvisions_mocos_and_hugging_faces_weights(layout: str) -> None:
    model = torchvision.models.resnet18(num_classes=4).eval()
    tensors = {name: torch.rand_like(t) if t.is_floating_point() else t for name, t in model.state_dict().items()}
    model.load_state_dict(tensors)
    if layout == "MoCo":  # with a queue, a slow copy and a head of two layers
        head = {"fc.0.weight": torch.ones(2), "fc.2.weight": torch.ones(2)}
        body = {name: t for name, t in tensors.items() if not name.startswith("fc.")} | head
        tensors = {f"state_dict.module.encoder_{side}.{n}": t * (side == "q") for n, t in body.items() for side in "qk"}
        tensors["state_dict.module.queue"] = torch.ones(3)
    elif layout == "Hugging Face":
        tensors = {f"resnet.{hf_resnet(name)}": t for name, t in tensors.items()}
        tensors = {name.replace("resnet.fc.", "classifier.1."): t for name, t in tensors.items()}
    net = registry.build("backbones.resnet", {"depth": 18, "channels": 3}).eval()
    found = matched("f", net, Opened("x", tensors), said("x", **{"except": ["fc"]}))
    weights = [name for name in net.state_dict() if not name.endswith("num_batches_tracked")]
    under = {"MoCo": ", under state_dict.module.encoder_q", "Hugging Face": ", under resnet"}.get(layout, "")
    assert found.said == f"{len(weights)} of {len(weights)} weights of f from x{under}"
    net.load_state_dict({**net.state_dict(), **found.state})
    image = torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(model.fc(net(image).pooled), model(image))


def hf_resnet(name: str) -> str:
    name = re.sub(r"^conv1\.", "embedder.embedder.convolution.", name)
    name = re.sub(r"^bn1\.", "embedder.embedder.normalization.", name)
    name = re.sub(r"^layer(\d)\.", lambda m: f"encoder.stages.{int(m[1]) - 1}.layers.", name)
    name = re.sub(r"(layers\.\d)\.conv(\d)\.", lambda m: f"{m[1]}.layer.{int(m[2]) - 1}.convolution.", name)
    name = re.sub(r"(layers\.\d)\.bn(\d)\.", lambda m: f"{m[1]}.layer.{int(m[2]) - 1}.normalization.", name)
    name = name.replace("downsample.0.", "shortcut.convolution.")
    return name.replace("downsample.1.", "shortcut.normalization.")


def test_timms_own_models_take_their_weights_and_a_name_after_timm(monkeypatch: pytest.MonkeyPatch) -> None:
    model = timm.create_model("test_vit", num_classes=0)
    net = registry.build("backbones.timm", {"name": "test_vit", "channels": 3, "size": 160})
    monkeypatch.setattr(timm, "create_model", lambda *_, pretrained, **__: model if pretrained else None)
    found = matched("f", net, opened("timm:test_vit"), said("timm:test_vit"))
    assert all(torch.equal(found.state[f"net.{name}"], tensor) for name, tensor in model.state_dict().items())
    with pytest.raises(SslgraphError, match=r"^timm has no model 'resnet_of_mine'; timm.list_models"):
        opened("timm:resnet_of_mine")


@pytest.mark.parametrize("layout", ["Meta", "Hugging Face"])
@pytest.mark.parametrize("name", ["vit_small_patch16_dinov3", "vit_small_patch16_dinov3_qkvb"])
def test_dinov3_comes_to_timms_model_with_or_without_its_biases(name: str, layout: str) -> None:
    """Meta's bias of the key is masked; where timm has no bias, Meta's is zero, and one that is not is refused."""
    model = timm.create_model(name, num_classes=0, embed_dim=48, depth=2, num_heads=3)
    own = {key: torch.randn_like(tensor) for key, tensor in model.state_dict().items()}
    tensors: Tensors = {"mask_token": torch.zeros(1, 48), "rope_embed.periods": torch.ones(4)}
    for key, tensor in own.items():
        if key.endswith(("q_bias", "v_bias")):
            continue
        short = re.sub(r"gamma_(\d)$", r"ls\1.gamma", key).replace("reg_token", "storage_tokens")
        if layout == "Meta" or ".attn." not in key:
            tensors[short] = tensor
    for n in range(2):
        stem = f"blocks.{n}.attn."
        query, value = (own.get(f"{stem}{word}_bias", torch.zeros(48)) for word in "qv")
        if layout == "Meta":
            tensors |= {f"{stem}qkv.bias": torch.cat([query, torch.zeros(48), value]), f"{stem}qkv.bias_mask": query}
            continue
        there = f"layer.{n}.attention."
        for word, piece in zip("qkv", own[f"{stem}qkv.weight"].chunk(3), strict=True):
            tensors[f"{there}{word}_proj.weight"] = piece
        tensors |= {f"{there}q_proj.bias": query, f"{there}v_proj.bias": value}
        tensors |= {f"{there}o_proj.{kind}": own[f"{stem}proj.{kind}"] for kind in ("weight", "bias")}
    found = matched("f", nn.ModuleDict({"net": model}), Opened("x", tensors), said("x", **{"except": ["mask_token"]}))
    assert set(found.state) == {f"net.{key}" for key in own}
    assert all(torch.equal(found.state[f"net.{key}"], tensor) for key, tensor in own.items())
    if layout == "Meta" and not name.endswith("qkvb"):
        other = {**tensors, "blocks.0.attn.qkv.bias": torch.ones(144)}
        message = refused(nn.ModuleDict({"net": model}), other, **{"except": ["mask_token"]})
        assert "1 tensor without a place: blocks.0.attn.qkv.bias" in message


def test_a_plain_name_stays_and_no_model_of_timm_has_two_weights_of_one_name() -> None:
    for name in (
        "vit_tiny_patch16_224",
        "resnet50",
        "efficientnet_b0",
        "convnext_tiny",
        "swin_tiny_patch4_window7_224",
    ):
        own = list(timm.create_model(name, num_classes=0).state_dict())
        short = [plain_name(word) for word in own]
        assert len(set(short)) == len(own) and [plain_name(word) for word in short] == short


def refused(net: nn.Module, tensors: Tensors, **more: Any) -> str:
    with pytest.raises(SslgraphError) as wrong:
        matched("f", net, Opened("w.pth", tensors), said("w.pth", **more), "give 'f' its settings")
    return str(wrong.value)


def test_what_does_not_match_is_refused_with_its_names() -> None:
    tensors = dict(theirs().state_dict())
    head = {**tensors, "head.weight": torch.ones(3, 96)}
    del head["norm.bias"]
    assert refused(ours(mask_token=True), head) == (
        "the weights in w.pth are not those of 'f': 2 weights of 'f' not found: mask_token, net.norm.bias; "
        "1 tensor without a place: head.weight\n  name what may stay as it is: "
        "weights: {from: w.pth, except: [mask_token, norm.bias, head]}"
    )
    wider = refused(ours(size=32), tensors)
    assert wider.endswith("'f': net.pos_embed is [1, 17, 96] there and [1, 65, 96] in 'f'\n  give 'f' its settings")
    assert refused(ours(), {"conv.weight": torch.ones(1)}).startswith(
        "nothing in w.pth is named like a weight of 'f'; it holds conv.weight, and 'f' has blocks.0.attn.proj.bias"
    )


def test_of_two_nets_that_fit_alike_one_must_be_named() -> None:
    tensors = {f"{net}.{k}": v * (net == "b") for net in ("a", "b") for k, v in theirs().state_dict().items()}
    assert refused(ours(), tensors) == (
        "w.pth holds 2 nets that fit 'f' alike: a, b; name one: weights: {from: w.pth, under: a}"
    )
    found = matched("f", ours(), Opened("w.pth", tensors), said("w.pth", under="b"))
    assert found.state["net.norm.weight"].abs().sum() > 0
    assert "under: no name begins with c.; the first words are: a, b" in refused(ours(), tensors, under="c")


def test_files_that_hold_no_weights_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.pt").write_text("no weights")
    torch.save({"epoch": 3}, tmp_path / "empty.pt")
    for name, reason in (
        ("text.pt", "can't be read as weights; give a file of weights"),
        ("empty.pt", "holds no tensors by name"),
        (".", "holds no complete checkpoint, and no model.safetensors or pytorch_model.bin"),
        ("gone.pt", "there is no file or run folder"),
    ):
        with pytest.raises(SslgraphError, match=reason):
            opened(str(tmp_path / name))


def test_a_folder_of_a_hub_is_read_by_its_safetensors(tmp_path: Path) -> None:
    save_file({"a.weight": torch.ones(2)}, tmp_path / "model.safetensors")
    assert torch.equal(opened(str(tmp_path)).tensors["a.weight"], torch.ones(2))


NETS = """
recipe: goes on
method:
  method: Goes on
  views: {x: {augment: simclr, copies: 2, size: 16}}
  nets:
    f: {use: backbones.vit, preset: nano, patch: 4, weights: WEIGHTS}
  flow: {z: l2(f(x))}
  losses: {contrast: {use: losses.nt_xent, of: [z]}}
  export: f
data: {use: sources.shapes, images: 16, test_images: 8}
batch: 8
steps: 1
optimizer: {use: sgd, lr: 0, momentum: 0, weight_decay: 0}
"""


def test_a_run_begins_with_a_file_a_run_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`check` says the same, and that a name is not given yet; a run refuses to start without."""
    monkeypatch.chdir(tmp_path)
    model = theirs()
    torch.save(model.state_dict(), tmp_path / "w.pth")
    (tmp_path / "file.yaml").write_text(NETS.replace("WEIGHTS", "w.pth"))
    (tmp_path / "name.yaml").write_text(NETS.replace("WEIGHTS", "{from: $old, under: parts.f}"))
    count = len(model.state_dict())
    assert examine("file.yaml").weights == (f"{count} of {count} weights of f from {tmp_path / 'w.pth'}",)
    assert examine("name.yaml").weights == ("f waits for given.old",)
    first = launch(request("file.yaml", out="first"))
    assert (
        f"{count} of {count} weights of f from {tmp_path / 'w.pth'}"
        in (tmp_path / "first/introduction.txt").read_text()
    )
    with pytest.raises(
        SpecError, match=r"nothing is given under that name\n  write given: {old: FILE} in the recipe, or"
    ):
        launch(request("name.yaml", out="second"))
    launch(request("name.yaml", out="second", overrides={"given.old": "first"}))
    begun = checkpoint.load(tmp_path / "second/checkpoints/step_00000000").method
    assert torch.equal(begun["parts.f.net.norm.weight"], model.norm.weight)
    assert first["steps"] == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"nets.f.weights": "gone.pth"}, r"there is no file or run folder .*gone.pth"),
        ({"nets.f.preset": "tiny"}, r"is \[1, 1, 96\] there and \[1, 1, 192\] in 'f'.*\n  give 'f' the settings"),
        ({"nets.f.weights": 3}, r"nets.f.weights must be a file, a run folder, \$name, timm:NAME, or"),
        ({"nets.f.weights": {"form": "w.pth"}}, r"nets.f.weights has the unknown key 'form'"),
    ],
)  # fmt: skip
def test_check_says_what_is_wrong_with_weights(
    changes: dict[str, Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save(theirs().state_dict(), tmp_path / "w.pth")
    (tmp_path / "file.yaml").write_text(NETS.replace("WEIGHTS", "w.pth"))
    with pytest.raises(SpecError, match=message):
        examine("file.yaml", overrides=changes)


def test_the_recipes_that_go_on_take_the_files_that_they_name(tmp_path: Path) -> None:
    """Meta's files of MAE with its decoder and of DINOv2, narrowed; torchvision's of a ResNet."""
    mae = {**theirs().state_dict(), "mask_token": torch.ones(1), "decoder_blocks.0.norm.weight": torch.ones(1)}
    torch.save({"model": mae}, tmp_path / "mae.pth")
    small = {"nets.enc.preset": "nano", "nets.enc.patch": 4, "views.x.size": 16}
    small["given.encoder"] = str(tmp_path / "mae.pth")
    (said,) = examine("continue/mae", overrides=small).weights
    assert said.startswith(f"{len(mae) - 2} of {len(mae) - 2} weights of enc from ")
    dinov2 = {**theirs(init_values=1.0).state_dict(), "mask_token": torch.zeros(1, 96)}
    torch.save(dinov2, tmp_path / "dinov2.pth")
    tiny = {"nets.s.preset": "nano", "nets.s.patch": 4, "nets.s.table": 16, "views.*.size": 8, "nets.*.out": 8}
    for recipe in ("continue/dinov2", "continue/dinov3"):
        sizes = {"views.y.size": 16} if recipe == "continue/dinov3" else {}
        wish = {**tiny, **sizes, "given.encoder": str(tmp_path / "dinov2.pth")}
        (said,) = examine(recipe, overrides=wish).weights
        assert said.startswith(f"{len(dinov2) - 1} of {len(dinov2)} weights of s from ")
    torch.save(torchvision.models.resnet18().state_dict(), tmp_path / "resnet18.pth")
    more = {"nets.f.depth": 18, "views.x.size": 32, "given.encoder": str(tmp_path / "resnet18.pth")}
    found = examine("continue/simclr-torchvision", overrides={**more, "optimizer.lr": 0.5})
    assert found.weights[0].startswith("100 of 100 weights of f")
    assert [finding.number for finding in found.findings] == ["SG301"]
