"""`do: export`: the trained encoder as other libraries read it, loaded back by them before it counts as written."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from sslgraph import whole_file
from sslgraph.errors import SslgraphError

from ..evaluate.restored import Restored, newest, opened
from ..weights.layouts import plain_name
from .work import StageKind, Work

WEIGHTS, PROGRAM, CONFIG = "model.safetensors", "model.pt2", "config.json"
FORMS = ("safetensors", "timm", "torchvision", "torch.export")
NEAR = 1e-4  # how far the features that a library gives may be from ours, in parts of the largest


def export(run: Path, folder: Path, *, to: str, plugins: tuple[str, ...] = ()) -> dict[str, Any]:
    """Fills the folder with weights or a program, and config.json: architecture, size, mean and std of the images.

    safetensors: the weights of the exported nets by their plain names. timm, torchvision: the same network of that
    library, which loads the weights strictly, without a classifier. torch.export: a program for any number of images.
    SslgraphError if the library has no such network, or gives other features.
    """
    if to not in FORMS:
        raise SslgraphError(f"an encoder is exported to {', '.join(FORMS)}, and not to {to}")
    found = opened(run, newest(run), device=torch.device("cpu"), plugins=plugins)
    encoder, about = found.trained.float().eval(), _images(found)
    image = torch.rand(2, 3, about["size"], about["size"], generator=torch.Generator().manual_seed(0))
    with whole_file.whole_folder(folder) as new, torch.no_grad():
        if to == "torch.export":
            about |= _program(encoder, image, new / PROGRAM)
        elif to == "safetensors":
            save_file(_plain(encoder), new / WEIGHTS)
        else:
            about |= _twin(encoder, image, to, new / WEIGHTS)
        text = json.dumps({"to": to, "step": found.step, **about}, indent=2)
        (new / CONFIG).write_text(f"{text}\n", encoding="utf-8")
    return about


def _images(found: Restored) -> dict[str, Any]:
    """What images an encoder takes: their side in pixels, and how they are normalised from 0..1."""
    (steps,) = found.view.views.values()
    normal = next((step for step in steps.steps.values() if hasattr(step, "mean")), None)
    height, _ = found.view.sizes(512, 512)["x"]
    mean, std = (list(getattr(normal, name, (value,) * 3)) for name, value in (("mean", 0.0), ("std", 1.0)))
    return {"size": height, "mean": mean, "std": std}


def _nets(encoder: nn.Module) -> dict[str, nn.Module]:
    """The nets that the exported program calls, without the wrappers around them."""
    found = {name: getattr(net, "part", net) for name, net in encoder.net.named_children()}  # type: ignore[union-attr]
    return {name: net for name, net in found.items() if any(True for _ in net.parameters())}


def _plain(encoder: nn.Module) -> dict[str, Tensor]:
    """The weights by plain names; of several nets, behind the name of each."""
    nets = _nets(encoder)
    return {
        plain_name(name) if len(nets) == 1 else f"{net}.{plain_name(name)}": tensor.contiguous().clone()
        for net, module in nets.items()
        for name, tensor in module.state_dict().items()
    }


def _program(encoder: nn.Module, image: Tensor, file: Path) -> dict[str, Any]:
    try:
        free = {"image": {0: torch.export.Dim("batch")}}
        torch.export.save(torch.export.export(encoder, (image,), dynamic_shapes=free), file)
    except Exception as wrong:  # whatever torch finds in a part that it can't follow
        reason = (str(wrong).strip() or type(wrong).__name__).splitlines()[0]
        raise SslgraphError(f"torch.export can't follow this encoder: {reason}; export it to safetensors") from wrong
    again = torch.export.load(file).module()
    more = torch.cat([image, image.flip(3)])
    return {"difference": _difference(again(more), encoder(more), "torch.export")}


def _twin(encoder: nn.Module, image: Tensor, library: str, file: Path) -> dict[str, Any]:
    nets = _nets(encoder)
    twins = getattr(next(iter(nets.values())), "twins", {}) if len(nets) == 1 else {}
    if library not in twins:
        there = f"there are: {', '.join((*twins, 'safetensors', 'torch.export'))}"
        raise SslgraphError(f"{library} has no network like '{', '.join(nets)}' with these settings\n  {there}")
    name, settings = twins[library]
    theirs = _built(library, name, settings)
    own = {plain_name(key): tensor for key, tensor in next(iter(nets.values())).state_dict().items()}
    lacking = [key for key in theirs.state_dict() if key not in own]
    if lacking:
        raise SslgraphError(f"{library}'s {name} has weights that this encoder lacks: {', '.join(lacking[:3])}")
    save_file({key: own[key].contiguous().clone() for key in theirs.state_dict()}, file)
    theirs.load_state_dict(load_file(file))
    first = next(iter(nets.values()))(image)[0]
    return {
        "architecture": name, "settings": settings,
        "difference": _difference(theirs.eval()(image), first, f"{library}'s {name}"),
    }  # fmt: skip


def _built(library: str, name: str, settings: dict[str, Any]) -> nn.Module:
    """The library's network without a classifier."""
    if library == "timm":
        found: nn.Module = importlib.import_module("timm").create_model(name, num_classes=0, **settings)
        return found
    found = getattr(importlib.import_module("torchvision.models"), name)(**settings)
    found.fc = nn.Identity()
    return found


def _difference(theirs: Tensor, ours: Tensor, who: str) -> float:
    """The largest difference of two features; refused if it is more than rounding."""
    found = (theirs - ours).abs().max().item() if theirs.shape == ours.shape else float("inf")
    if not found <= NEAR * max(1.0, ours.abs().max().item()):
        raise SslgraphError(f"{who} gives other features for the same weights (difference {found:.3g}): not exported")
    return found


def _stage(work: Work) -> dict[str, Any]:
    return export(work.inputs["of"], work.folder / "export", to=str(work.stage.settings.get("to", FORMS[0])),
                  plugins=work.plugins)  # fmt: skip


EXPORT = StageKind(_stage, {"to": f"Literal[{', '.join(map(repr, FORMS))}]"})
