"""`sslgraph plan`: what a run will need."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import Plugins, Sets, out, overrides


def plan(
    name: Annotated[str, typer.Argument(help="a method (at the paper's size) or a recipe, by name or file")],
    gpus: Annotated[int, typer.Option("--gpus", help="that train together")] = 1,
    memory: Annotated[str, typer.Option("--memory", help="of each GPU")] = "80GB",
    batch: Annotated[int | None, typer.Option("--batch", help="global; the recipe's if left out")] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", help="the recipe's, or 100")] = None,
    images: Annotated[int | None, typer.Option("--images", help="of the data set; ImageNet's 1,281,167")] = None,
    tflops: Annotated[
        float | None, typer.Option("--tflops", help="1e12 operations a second that a GPU keeps up")
    ] = None,
    strategy: Annotated[str | None, typer.Option("--strategy", help="ddp, or fsdp: weights shared out")] = None,
    recompute: Annotated[list[str], typer.Option("--recompute", help="a net whose blocks are computed twice")] = [],  # noqa: B006
    calibrate: Annotated[bool, typer.Option("--calibrate", help="time the recipe's feed and steps here")] = False,
    plugin: Plugins = [],  # noqa: B006
    set_: Sets = [],  # noqa: B006
) -> None:
    """What a run will need: parameters, arithmetic, memory, messages, hours, and how fast data must come."""
    from ..plan.text import page

    asked = {"gpus": gpus, "memory": memory, "batch": batch, "epochs": epochs, "images": images, "tflops": tflops}
    asked |= {"strategy": strategy, "recompute": recompute}
    out.print(page(name, asked, calibrated=calibrate, plugins=tuple(plugin), overrides=overrides(set_)), markup=False)
