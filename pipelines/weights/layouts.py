"""One name for a weight, however the file names it: Meta, timm, Hugging Face, torchvision, wrappers, and our own."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping

import torch
from torch import Tensor

Change = str | Callable[[re.Match[str]], str]
_IN_A_BLOCK = r"(?=(?:norm|attn|attention|mlp|ls|layer_scale|layernorm|intermediate|output|gamma|drop_path)[._\d])"
# From what a name says to what timm's transformers, and torchvision's ResNets, say; a name that is theirs stays.
_RENAMES: tuple[tuple[re.Pattern[str], Change], ...] = tuple(
    (re.compile(pattern), change)
    for pattern, change in (
        # wrappers: torch.compile, and the `net` around timm's model in our parts
        (r"(^|\.)(?:(?:_orig_mod|net)\.)+", r"\1"),
        # Hugging Face: ViT, MAE, DINOv2, DINOv3
        (r"(^|\.)embeddings\.position_embeddings$", r"\1pos_embed"),
        (r"(^|\.)embeddings\.patch_embeddings\.(?:projection\.)?(weight|bias)$", r"\1patch_embed.proj.\2"),
        (r"(^|\.)embeddings\.(cls_token|mask_token|register_tokens)$", r"\1\2"),
        (rf"(^|\.)(?:encoder\.)?layer\.(\d+)\.{_IN_A_BLOCK}", r"\1blocks.\2."),
        (r"\.attention\.(?:attention\.)?(q|k|v)(?:uery|ey|alue|_proj)\.", r".attn.\1."),
        (r"\.attention\.(?:output\.dense|o_proj)\.", ".attn.proj."),
        (r"\.layer_scale([12])\.lambda1$", r".ls\1.gamma"),
        (r"\.layernorm_before\.", ".norm1."),
        (r"\.layernorm_after\.", ".norm2."),
        (r"(blocks\.\d+)\.(?:intermediate\.dense|mlp\.up_proj)\.", r"\1.mlp.fc1."),
        (r"(blocks\.\d+)\.(?:output\.dense|mlp\.down_proj)\.", r"\1.mlp.fc2."),
        (r"(^|\.)layernorm\.(weight|bias)$", r"\1norm.\2"),
        # Hugging Face: ResNet, which counts stages from 0
        (r"(^|\.)embedder\.embedder\.convolution\.", r"\1conv1."),
        (r"(^|\.)embedder\.embedder\.normalization\.", r"\1bn1."),
        (r"(^|\.)encoder\.stages\.(\d+)\.layers\.", lambda found: f"{found[1]}layer{int(found[2]) + 1}."),
        (r"(layer\d+\.\d+)\.shortcut\.convolution\.", r"\1.downsample.0."),
        (r"(layer\d+\.\d+)\.shortcut\.normalization\.", r"\1.downsample.1."),
        (r"(layer\d+\.\d+)\.layer\.(\d+)\.convolution\.", lambda found: f"{found[1]}.conv{int(found[2]) + 1}."),
        (r"(layer\d+\.\d+)\.layer\.(\d+)\.normalization\.", lambda found: f"{found[1]}.bn{int(found[2]) + 1}."),
        # torchvision: ViT
        (r"(^|\.)class_token$", r"\1cls_token"),
        (r"(^|\.)conv_proj\.", r"\1patch_embed.proj."),
        (r"(^|\.)encoder\.pos_embedding$", r"\1pos_embed"),
        (r"(^|\.)encoder\.layers\.encoder_layer_(\d+)\.", r"\1blocks.\2."),
        (r"(blocks\.\d+)\.ln_([12])\.", r"\1.norm\2."),
        (r"(blocks\.\d+)\.self_attention\.in_proj_", r"\1.attn.qkv."),
        (r"(blocks\.\d+)\.self_attention\.out_proj\.", r"\1.attn.proj."),
        (r"(blocks\.\d+)\.mlp\.(?:0|linear_1)\.", r"\1.mlp.fc1."),
        (r"(blocks\.\d+)\.mlp\.(?:3|linear_2)\.", r"\1.mlp.fc2."),
        (r"(^|\.)encoder\.ln\.", r"\1norm."),
        # Meta: blocks in chunks, registers; timm: layer scale of its EVA
        (rf"(^|\.)blocks\.\d+\.(\d+)\.{_IN_A_BLOCK}", r"\1blocks.\2."),
        (r"(^|\.)(?:register_tokens|storage_tokens|reg_token)$", r"\1registers"),
        (r"(blocks\.\d+)\.gamma_([12])$", r"\1.ls\2.gamma"),
    )
)
# What a file may hold that is no weight: it follows from the settings.
COMPUTED = re.compile(r"(^|\.)(num_batches_tracked|bias_mask|rope_embed\.periods|relative_position_index)$")


def plain_name(name: str) -> str:
    """The name of a weight as timm or torchvision has it; the same again for what is one already."""
    for pattern, change in _RENAMES:
        name = pattern.sub(change, name)
    return name


def plain(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under plain names; where two would have one name, those keep their own."""
    names = {name: plain_name(name) for name in tensors}
    taken = list(names.values())
    return {
        (name if taken.count(short) > 1 else short): tensors[name]
        for name, short in names.items()
        if not COMPUTED.search(name)
    }


def joined(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors with query, key and value of each attention in one, in this order; a key without bias has zeros."""
    found = dict(tensors)
    for name in tensors:
        if not name.endswith(("attn.q.weight", "attn.q.bias")):
            continue
        stem, kind = name.rpartition(".q.")[0], name.rpartition(".")[2]
        query, value = found.pop(name), found.pop(f"{stem}.v.{kind}", None)
        key = found.pop(f"{stem}.k.{kind}", torch.zeros_like(query) if kind == "bias" else None)
        if key is None or value is None:
            return dict(tensors)
        found[f"{stem}.qkv.{kind}"] = torch.cat([query, key, value])
    return found


def separated(tensors: Mapping[str, Tensor], wanted: Collection[str]) -> dict[str, Tensor]:
    """The tensors with the bias of each attention as the net has it: whole, without that of the key, or not at all.

    DINOv3 masks the key's bias away, and its distilled models have biases of zeros, which timm leaves out.
    """
    is_split = any(name.endswith("attn.q_bias") for name in wanted)
    found = dict(tensors)
    for name in [name for name in tensors if name.endswith("attn.qkv.bias")]:
        if any(name.endswith(other) for other in wanted if other.endswith("attn.qkv.bias")):
            continue
        if is_split:
            stem = name.removesuffix("qkv.bias")
            found[f"{stem}q_bias"], _, found[f"{stem}v_bias"] = found.pop(name).chunk(3)
        elif tensors[name].device.type != "meta" and not bool(tensors[name].any()):
            del found[name]
    return found
