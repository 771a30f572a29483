"""A method as one object: what its text says, and everything that can be made of it before training."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sslgraph.checked import BATCH, IMAGES, SOURCE, augmentations, sized_graph, wired
from sslgraph.diff import Account, account
from sslgraph.errors import SpecError, SslgraphError
from sslgraph.lint import Facts, Finding, lint
from sslgraph.read import spec
from sslgraph.read.load import load_method
from sslgraph.read.loaded import Loaded
from sslgraph.read.plugins import allowed
from sslgraph.wire.gradients import GradientMap, gradient_map
from sslgraph.wire.graph import Graph

if TYPE_CHECKING:
    from torch import Tensor

    from sslgraph.compile.compile import CompiledMethod
    from sslgraph.drawing import Picture, Scene
    from sslgraph.settle.sized import SizedGraph
    from sslgraph.views.views import ViewProgram


def load(
    source: str | Path | Mapping[str, Any], overrides: Mapping[str, Any] | None = None, *, plugins: tuple[str, ...] = ()
) -> Method:
    """A method by its name or file, as a YAML text (several lines) or as a mapping; `overrides` as in `--set`.

    `plugins` are the modules whose parts it may use: installed ones, or files beside the text. Raises SpecError with
    every fault that reading finds, each at its place. Imports no torch.
    """
    text = load_method(source, overrides=overrides or {})
    return Method(text, allowed(plugins, text))


@dataclass(frozen=True, repr=False)
class Method:
    """A method's text, and what can be made of it; a terminal shows it as a drawing, a notebook as its picture."""

    text: Loaded[spec.Method]
    plugins: tuple[str, ...] = ()

    @property
    def spec(self) -> spec.Method:
        """What the text says, as frozen values."""
        return self.text.spec

    @cached_property
    def graph(self) -> Graph:
        """The wired method. Raises SpecError with all that can only be a mistake, such as a gradient into a target."""
        return wired(self.text, self.plugins)

    @property
    def gradients(self) -> GradientMap:
        """Which loss reaches which parameters; `print` it."""
        return gradient_map(self.graph)

    def check(self, *, batch: int = BATCH, epochs: int | None = None, accumulate: int = 1) -> tuple[Finding, ...]:
        """The linter's warnings. Raises SpecError if the method is wrong: in its wiring, its settings or its shapes."""
        found = lint(self.graph, Facts(batch=batch, epochs=epochs, accumulate=accumulate))
        self.sized(batch=batch)
        return found

    def sized(self, *, batch: int = BATCH, dataset: int = IMAGES, image: tuple[int, int] = SOURCE) -> SizedGraph:
        """The graph with a shape for every edge.

        batch: images of the global batch; dataset: images of the data set, the size of states that have a row for
        each; image: height and width of the source images, in pixels, for views that are not resized.
        """
        return sized_graph(self.graph, self.text, batch=batch, dataset=dataset, image=image, plugins=self.plugins)

    def compile(
        self, *, batch: int = BATCH, dataset: int = IMAGES, image: tuple[int, int] = SOURCE, seed: int = 0,
        given: Mapping[str, Mapping[str, Tensor]] | None = None,
    ) -> CompiledMethod:  # fmt: skip
        """The method as a torch module, with weights drawn from `seed`; for the other arguments see `sized`.

        given: for each net that says `weights:` a state_dict, which may lack some of its names.
        `sslgraph.load_recipe(...).compile(images)` reads the files that the text names instead.
        """
        from sslgraph.compile.compile import CompiledMethod

        sized = self.sized(batch=batch, dataset=dataset, image=image)
        return CompiledMethod(sized, seed=seed, plugins=self.plugins, given=given or {})

    def views(
        self, images: Tensor | list[Tensor], indices: Tensor, *, seed: int = 0, epoch: int = 0, step: int = 0,
        labels: Tensor | None = None, maps: list[Tensor] | None = None,
    ) -> dict[str, Tensor]:  # fmt: skip
        """The batch that the compiled method takes: every view of uint8 images [B, 3, H, W], on their device.

        `indices` [B] are the images' numbers in the data set. What is drawn for an image is a function of (seed, epoch,
        index) alone. Images of several sizes come as a list of [3, H, W]. A method that reads `x.label` needs the
        labels of the whole data set, one that reads `x.map` the label maps [H, W] of these images. Raises SslgraphError
        for images of another type or shape, and for channels that a step is not for.
        """
        from sslgraph.views.images_given import channels_of
        from sslgraph.views.views import clocked

        self._refuse_channels(channels_of(images, indices))
        device = images.device if not isinstance(images, list) else images[0].device
        return clocked(
            self.view_program, images, indices, seed=seed, epoch=epoch, step=step, device=device, labels=labels,
            maps=maps,
        )  # fmt: skip

    def _refuse_channels(self, channels: int) -> None:
        try:
            self.view_program.refuse(channels)
        except SpecError as wrong:
            cure = "; write images.expand(-1, 3, -1, -1) for grey ones" if channels == 1 else ""
            raise SslgraphError(f"the images have {channels} channels{cure}\n{wrong}") from wrong

    @cached_property
    def view_program(self) -> ViewProgram:
        """What makes images into views."""
        from sslgraph.views.views import ViewProgram

        return ViewProgram.build(self.spec.views, augmentations(self.text, self.plugins))

    @property
    def code(self) -> str:
        """The training step as Python that reads like the paper."""
        from sslgraph.compile.program import code

        return code(self.sized())

    def picture(self, *, level: Literal["paper", "every-call"] = "paper") -> Picture:
        """The method's picture before it has a form: boxes, lines, lanes."""
        from sslgraph.drawing import picture

        return picture(self.sized(), level=level)

    def draw(
        self,
        file: str | Path,
        *,
        level: Literal["paper", "every-call"] = "paper",
        dark: bool = False,
        gradients: bool = False,
        shapes: bool = True,
        legend: bool = True,
        compact: bool = False,
        inches: float = 0.0,
        font: float = 7.0,
    ) -> Path:
        """Writes the picture; the file's ending chooses the format: svg, png, pdf, mmd, dot, json.

        `inches`: how wide it is in print, 0 as wide as it likes; `font`: points of its letters, then.
        """
        from sslgraph.drawing.write.file import Look, write

        look = Look(dark, gradients, shapes, legend, compact, inches, font)
        return write(self.picture(level=level), Path(file), look)

    def diff(self, other: str | Path | Mapping[str, Any] | Method) -> Difference:
        """What makes this method into another one."""
        return Difference(self, other if isinstance(other, Method) else load(other, plugins=self.plugins))

    def __repr__(self) -> str:
        from sslgraph.drawing.write.terminal import text

        try:
            return text(self.picture()).rstrip()
        except SslgraphError as fault:  # a method that can't be drawn yet still has to be shown
            return f"{self.spec.method}, which has faults:\n{fault}"

    def _repr_svg_(self) -> str | None:
        """What a notebook shows."""
        from sslgraph.drawing import svg

        with suppress(SslgraphError):
            return svg(self.picture())
        return None


@dataclass(frozen=True, repr=False)
class Difference:
    """What makes one method into another; a terminal shows it in words, a notebook as one picture of both."""

    one: Method
    other: Method

    @cached_property
    def account(self) -> Account:
        """The words: a headline, and a statement for each thing that differs."""
        return account(self.one.spec, self.other.spec, self.plugins)

    @property
    def lines(self) -> list[str]:
        """The words as lines of text; only the headline if nothing differs."""
        return self.account.lines

    @property
    def plugins(self) -> tuple[str, ...]:
        """The modules whose parts either may use."""
        return (*self.one.plugins, *self.other.plugins)

    def scene(self, *, dark: bool = False) -> Scene:
        """Both methods in one picture, laid out. Raises SpecError where one of them can't be drawn."""
        from sslgraph.diff import Comparison, Figure
        from sslgraph.overlay import compared

        figures = [Figure(method.spec, self.plugins) for method in (self.one, self.other)]
        return compared(
            self.one.picture(), self.other.picture(), Comparison(*figures), self.account,
            theme="dark" if dark else "light",
        )  # fmt: skip

    def __repr__(self) -> str:
        return "\n".join(self.lines)

    def _repr_svg_(self) -> str | None:
        """What a notebook shows."""
        from sslgraph.drawing import as_svg

        with suppress(SslgraphError):
            return as_svg(self.scene())
        return None
