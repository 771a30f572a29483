"""`sslgraph plan`: estimates what a run will need."""

from __future__ import annotations

from typing import Annotated

import typer

from ..options import Plugins, Sets, out, overrides, spec_names


def plan(
    name: Annotated[
        str, typer.Argument(autocompletion=spec_names, help="Method (at the paper's size) or recipe, by name or file")
    ],
    gpus: Annotated[int, typer.Option("--gpus", help="Number of GPUs")] = 1,
    memory: Annotated[str, typer.Option("--memory", help="Memory of one GPU")] = "80GB",
    batch: Annotated[
        int | None, typer.Option("--batch", help="Global batch size; the recipe's or 256 if left out")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option("--epochs", help="Number of epochs; the recipe's or 100 if left out")
    ] = None,
    images: Annotated[
        int | None, typer.Option("--images", help="Number of images; ImageNet's 1,281,167 if left out")
    ] = None,
    tflops: Annotated[
        float | None, typer.Option("--tflops", help="Sustained TFLOP/s of one GPU; 100 if left out")
    ] = None,
    strategy: Annotated[
        str | None, typer.Option("--strategy", help="Strategy: ddp, or fsdp to shard the weights")
    ] = None,
    recompute: Annotated[
        list[str], typer.Option("--recompute", help="Net whose blocks are recomputed to save memory")
    ] = [],  # noqa: B006
    plugin: Plugins = [],  # noqa: B006
    set_: Sets = [],  # noqa: B006
) -> None:
    """Estimate what a run needs: memory, hours, images a second.

    Parameters, arithmetic and messages between GPUs are counted, too. Nothing is trained.
    """
    from ...plan.text import page

    asked = {"gpus": gpus, "memory": memory, "batch": batch, "epochs": epochs, "images": images, "tflops": tflops}
    asked |= {"strategy": strategy, "recompute": recompute}
    out.print(page(name, asked, plugins=tuple(plugin), overrides=overrides(set_)))
