"""`sslgraph plan`: estimates what a run will need."""

from __future__ import annotations

from typing import Annotated

from typer import Option

from ..options import Plugins, Sets, named, out, overrides


def plan(
    name: Annotated[str, named("Method (at the paper's size) or recipe, by name or file")],
    gpus: Annotated[int, Option("--gpus", help="Number of GPUs")] = 1,
    memory: Annotated[str, Option("--memory", help="Memory of one GPU")] = "80GB",
    batch: Annotated[int | None, Option("--batch", help="Global batch size; the recipe's or 256 if left out")] = None,
    epochs: Annotated[int | None, Option("--epochs", help="Number of epochs; the recipe's or 100 if left out")] = None,
    images: Annotated[int | None, Option("--images", help="Number of images; ImageNet's 1,281,167 if left out")] = None,
    tflops: Annotated[float | None, Option("--tflops", help="Sustained TFLOP/s of one GPU; 100 if left out")] = None,
    strategy: Annotated[str | None, Option("--strategy", help="Strategy: ddp, or fsdp to shard the weights")] = None,
    recompute: Annotated[list[str], Option("--recompute", help="Net whose blocks are recomputed to save memory")] = [],
    plugin: Plugins = [],
    set_: Sets = [],
) -> None:
    """Estimate what a run needs: memory, hours, images a second.

    Parameters, arithmetic and messages between GPUs are counted, too. Nothing is trained.
    """
    from ...plan.text import page

    asked = {"gpus": gpus, "memory": memory, "batch": batch, "epochs": epochs, "images": images, "tflops": tflops}
    asked |= {"strategy": strategy, "recompute": recompute}
    out.print(page(name, asked, plugins=tuple(plugin), overrides=overrides(set_)))
