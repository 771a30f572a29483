"""python -m benchmarks.forms [NET ...]: steps of whole nets in every form, beside the form that a calibration chooses.

A choice is right if its step takes at most 1.05 times that of the best form. Processor time of one thread, in turns.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Iterator

import torch
from torch import nn

from sslgraph.parts import registry
from sslgraph.pipelines.machine import calibration, machine
from sslgraph.pipelines.machine.chosen_forms import Forms, chosen, convolves, peak

from .turns import Work, in_turns

CHOSEN = "chosen"
# The part, its settings, side of the images, and images a step.
NETS = {
    "ResNet-18": ("backbones.resnet", {"depth": 18, "channels": 3, "stem": "small"}, 32, 32),
    "ResNet-50": ("backbones.resnet", {"depth": 50, "channels": 3}, 96, 8),
    "ViT-tiny/4": ("backbones.vit", {"preset": "tiny", "patch": 4, "channels": 3, "size": 32}, 32, 32),
    "ViT-S/16": ("backbones.vit", {"preset": "small", "patch": 16, "channels": 3, "size": 224}, 224, 4),
}


def main(names: list[str], rounds: int = 3) -> None:
    """Prints for each net how long a step takes in each form, and how far the chosen one is from the best."""
    torch.set_num_threads(1)
    machine.use()
    torch.set_num_threads(1)
    rates = calibration.measured()
    print(f"{calibration.processor()}, {os.environ.get('ONEDNN_MAX_CPU_ISA', 'no limit')}, torch {torch.__version__}, "
          f"load {os.getloadavg()[0]:.1f}; bfloat16, float32 products {rates['product bfloat16'] / 1e9:.0f}, "
          f"{rates['product float32'] / 1e9:.0f} GFLOP/s")  # fmt: skip
    for name in names or NETS:
        use, settings, side, images = NETS[name]
        is_convolving = convolves([registry.build(use, settings)])
        wish = chosen(rates, wish="auto", convolves=is_convolving)
        beside = dict(forms_beside(wish, is_convolving=is_convolving))
        ways = {title: step(use, settings, side, images, forms) for title, forms in beside.items()}
        print(f"{name}: {wish}")
        timed = in_turns(f"{images} images of {side} px", ways, unit="step", units=1, rounds=rounds)
        best = min(min(times) for times in timed.seconds.values())
        mine = min(timed.seconds[CHOSEN])
        share = operations(use, settings, side, images) / mine / peak(rates, dataclasses.replace(wish, threads=1))
        print(timed.table(CHOSEN))
        print(f"  chosen: {mine / best:.2f} x the best of all forms; {share:.0%} of what this machine can", flush=True)


def forms_beside(wish: Forms, *, is_convolving: bool) -> Iterator[tuple[str, Forms]]:
    """The chosen forms, and those that differ in one choice; bfloat16 only where it is not hopeless."""
    yield CHOSEN, wish
    other = "float32" if wish.precision == "bfloat16" else "bfloat16"
    if other == "float32" or "AVX2" not in os.environ.get("ONEDNN_MAX_CPU_ISA", ""):
        yield other, dataclasses.replace(wish, precision=other)
    if not is_convolving:
        fused = not wish.fused_attention
        yield "fused" if fused else "products", dataclasses.replace(wish, fused_attention=fused)
        return
    layout = "channels first" if wish.channels_last else "channels last"
    yield layout, dataclasses.replace(wish, channels_last=not wish.channels_last)
    for pair in ((0, 0), (4, 4), (16, 16), (64, 16), (64, 64)):
        if pair != wish.maps[wish.precision]:
            yield f"maps up to {pair[0]}, {pair[1]}", dataclasses.replace(wish, maps={wish.precision: pair})


def step(use: str, settings: dict[str, object], side: int, images: int, forms: Forms) -> Work:
    """Forward and backward of a net."""
    net = registry.build(use, settings).train().to(memory_format=forms.layout)
    forms.on(net)
    x = torch.randn(images, 3, side, side).contiguous(memory_format=forms.layout)

    def work() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=forms.precision == "bfloat16"):
            out = net(x).pooled
        out.float().square().mean().backward()

    return work


def operations(use: str, settings: dict[str, object], side: int, images: int) -> float:
    """Operations of a step."""
    from torch.utils.flop_counter import FlopCounterMode

    with torch.device("meta"):
        net: nn.Module = registry.build(use, settings)
        x = torch.empty(images, 3, side, side)
    with FlopCounterMode(display=False) as counter:
        net(x).pooled.sum().backward()
    return float(counter.get_total_flops())


if __name__ == "__main__":
    main(sys.argv[1:])
