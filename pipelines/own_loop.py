"""A recipe for a loop of one's own: its method, its clock and the optimizer that `sslgraph train` uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from jaxtyping import Int64
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from sslgraph.checked import within
from sslgraph.compile.compile import CompiledMethod
from sslgraph.errors import SslgraphError
from sslgraph.method import Method
from sslgraph.read import spec
from sslgraph.read.load import load_recipe as read_recipe
from sslgraph.read.loaded import Loaded, method_in
from sslgraph.schedules import Clock

from .check import check
from .feed import feed
from .optimize.optimizer import Optimizer
from .train.start import prepare


def load_recipe(
    source: str | Path | Mapping[str, Any],
    overrides: Mapping[str, Any] | None = None,
    *,
    plugins: tuple[str, ...] = (),
) -> Recipe:
    """A recipe by its name or file, as a YAML text or as a mapping; a method stands for its demo recipe.

    `overrides` are as in `--set`, `plugins` the modules whose parts it may use. Raises SpecError with every fault.
    """
    text = read_recipe(source, overrides)
    allowed = check.allowed_in(text, plugins)
    check.sound(method_in(text), text, allowed)
    return Recipe(text, allowed)


@dataclass(frozen=True, repr=False)
class Recipe:
    """What `sslgraph train` makes of a recipe, piece by piece; each piece is the same object that it uses."""

    text: Loaded[spec.Recipe]
    plugins: tuple[str, ...] = ()

    @property
    def spec(self) -> spec.Recipe:
        """What the text says, as frozen values: epochs, seed, data and all else."""
        return self.text.spec

    @property
    def batch(self) -> int:
        """Images of a step, over all processes and micro-batches."""
        return self.spec.batch

    @property
    def seed(self) -> int:
        """What weights, the order of images and views are drawn from."""
        return self.spec.seed

    @cached_property
    def method(self) -> Method:
        """The method as the recipe changes it."""
        return Method(method_in(self.text), self.plugins)

    def compile(self, images: int, *, size: tuple[int, int] | None = None) -> CompiledMethod:
        """The method as a torch module with the weights that it begins with, those of `weights:` read from their files.

        `images` is how many there are, `size` their height and width, None if these differ.
        """
        model, _ = prepare.compiled(self.text, images=images, size=size, plugins=self.plugins)
        return model

    def clock(self, images: int) -> Clock:
        """How long it trains on so many images; what is left over at the end of an epoch is dropped."""
        if images < self.batch:
            raise SslgraphError(
                f"a batch of {self.batch} images is larger than the data set, which has {images}; "
                f'write load_recipe(..., {{"batch": {images}}})'
            )
        return prepare.clock_of(self.spec, images // self.batch)

    def order(self, images: int, *, epoch: int) -> Int64[Tensor, "images"]:
        """The indices of the images in the order in which an epoch shows them."""
        return feed.order(images, seed=self.seed, epoch=epoch)

    def optimizer(self, model: nn.Module, clock: Clock) -> Optimizer:
        """The recipe's optimizer of a compiled method, or of DDP around it: groups, schedules, clipping, players.

        `step(losses, step)` does backward and update. With several micro-batches call `backward(losses, share)` for
        each and `update(step)` once. Without DDP it averages the gradients of all processes itself.
        """
        is_wrapped = isinstance(model, DistributedDataParallel)
        method = model.module if is_wrapped else model
        if not isinstance(method, CompiledMethod):
            raise SslgraphError(
                f"the optimizer of a recipe is of its compiled method, and this is a {type(method).__name__}; "
                "write recipe.optimizer(recipe.compile(images), clock)"
            )
        with within(self.text, ("optimizer",)):
            return Optimizer(
                method, self.spec.optimizer, batch=self.batch, clock=clock, averaged_elsewhere=is_wrapped,
                plugins=self.plugins,
            )  # fmt: skip

    def __repr__(self) -> str:
        length = f"{self.spec.epochs} epochs" if self.spec.epochs else f"{self.spec.steps} steps"
        return f"{self.spec.recipe}: {self.spec.method.method}, {length} of {self.batch} images a step"
