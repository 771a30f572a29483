"""From source images to the views of a method: all random numbers first, then the pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from sslgraph.draws import Draw, integers, keyed, stream_of, substream
from sslgraph.errors import Fault, SslgraphError, raise_all, under
from sslgraph.parts import registry
from sslgraph.read.catalogue import EVALUATION
from sslgraph.read.load import load_augmentation
from sslgraph.read.spec import Augmentation, Part, View
from sslgraph.views.images_given import refuse_uneven
from sslgraph.views.module_step import ModuleStep
from sslgraph.views.overrides import is_normalization, resolve, shown
from sslgraph.views.renderings import placed

# Bytes: one tensor of images of one size, or a list of [channels, height, width] each of its own.
Images = UInt8[Tensor, "batch channels height width"] | list[Tensor]
# The class of each pixel of each of these images, -1 where it has none.
Maps = Sequence[Int64[Tensor, "_ _"]]


@runtime_checkable
class Placing(Protocol):
    """A step of geometry: it moves the frame through which a view sees its image, and touches no pixel."""

    def place(self, draw: Draw, frame: Any) -> Any: ...


@runtime_checkable
class Painting(Protocol):
    """A step of colour: `plan` draws what the call takes after the images; the call itself draws nothing.

    The call may change the images in place and returns what they become.

    It treats left and right alike, so that a later flip may be folded into the resampling before it. One that is not
    for images of any number of channels has a method `takes(channels)`, which raises ValueError.
    """

    def plan(self, draw: Draw) -> tuple[Tensor, ...]: ...
    def __call__(self, images: Tensor, *parameters: Tensor) -> Tensor: ...


NO_COLOURS = (1.0, 1.0, 1.0, 0.0)  # factors of brightness, contrast and saturation, and turn of the hue
PIXELS = 32  # side of the view in which raw pixels are compared


@dataclass(frozen=True)
class Steps:
    """The steps of one view in the order of work, and the part that runs their frames."""

    steps: Mapping[str, Placing | Painting]
    copies: int
    resample: Any
    streams: tuple[str, str]  # the views whose numbers place the crop and colour it; a rendering shares the first
    shift: int = 0  # pixels by which the crop moves at most, in each direction

    def run(self, images: Any, rows: Draw, device: torch.device) -> tuple[Any, Any]:
        """The views of these images and the frame they are seen through; `rows` has one for each image."""
        placing, colouring = (substream(rows, stream_of(view), self.copies) for view in self.streams)
        frame, done, painting = self.resample.whole(images, self.copies), None, []
        for name, step in self.steps.items():
            numbers = substream(placing if isinstance(step, Placing) else colouring, stream_of(name))
            if not isinstance(step, Placing):
                painting.append((step, numbers))
                continue
            moved = step.place(numbers, frame)
            is_only_mirrored = moved.rows is frame.rows and moved.columns is frame.columns
            if painting and not is_only_mirrored:  # colours change before pixels move again, so both happen now
                images = self._painted(self.resample(images, frame, device, done), painting)
                done, painting, moved = frame, [], step.place(numbers, frame.settled())
            frame = moved
        if self.shift:
            by = integers(substream(placing, stream_of("shift")), 2, 2 * self.shift + 1) - self.shift
            frame = frame.moved(by[:, 0], by[:, 1])
        return self._painted(self.resample(images, frame, device, done), painting), frame

    def colours(self, rows: Draw) -> Tensor:
        """The brightness, contrast, saturation and hue that the first such step has drawn, or what changes nothing."""
        numbers = substream(rows, stream_of(self.streams[1]), self.copies)
        for name, step in self.steps.items():
            if isinstance(step, Painting) and hasattr(step, "colours"):
                drawn: Tensor = step.colours(*step.plan(substream(numbers, stream_of(name))))
                return drawn
        return torch.tensor(NO_COLOURS).expand(len(numbers), -1)

    def _painted(self, images: Any, painting: list[tuple[Painting, Draw]]) -> Any:
        if isinstance(images, list):  # images of many sizes: one by one, with the same numbers as in a batch
            rows = range(len(images))
            return [self._painted(images[i][None], [(s, d[i : i + 1]) for s, d in painting])[0] for i in rows]
        for step, draw in painting:
            plan = (value.to(images.device, non_blocking=True) for value in step.plan(draw))
            images = step(images, *plan)
        return images


class ViewProgram:
    """Makes the batch of a method from source images; the same numbers on every rank, device and after any resume."""

    def __init__(self, views: Mapping[str, Steps]) -> None:
        self.views = dict(views)

    @classmethod
    def build(cls, views: Mapping[str, View], augmentations: Mapping[str, Augmentation]) -> ViewProgram:
        """Resolves each view's pipeline and its overrides; all faults of all views are raised at once."""
        resample = registry.build(registry.with_role("resampling", "augment")[0], {})
        programs = {}
        for name, parts in placed(views, resolve(views, augmentations)).items():
            origin = views[name].crop_of
            is_same = origin is not None and views[origin].augment == views[name].augment
            streams = (origin or name, str(origin) if is_same else name)
            with under("views", name, "augment"):
                steps = {step: _built(part) for step, part in parts.items()}
            programs[name] = Steps(steps, views[name].copies, resample, streams, views[name].shift)
        return cls(programs)

    def __call__(
        self,
        images: Images,
        index: Int64[Tensor, "batch"],
        *,
        seed: int,
        epoch: int,
        device: torch.device | str = "cpu",
        channels_last: bool = False,
        dtype: torch.dtype = torch.float32,
        maps: Maps | None = None,
    ) -> dict[str, Tensor]:
        """For each view x: x.image, x.index, x.box, x.flip, x.colours, copy-major, on `device`.

        `index` names the samples. With the label maps of these images, x.map too for each view x.
        """
        if maps is not None:
            refuse_uneven(images, maps, index)
        device = torch.device(device)
        images = images.to(device, non_blocking=True) if isinstance(images, Tensor) else images
        layout = torch.channels_last if channels_last else torch.contiguous_format
        index = index.cpu()
        batch = {}
        for name, steps in self.views.items():
            images = steps.resample.ready(images) if isinstance(images, Tensor) else images
            with torch.autocast("cpu", enabled=False), torch.autocast(device.type, enabled=False):
                rows = keyed(seed, epoch, index)
                views, frame = steps.run(images, rows, device)
            if isinstance(views, list):
                raise SslgraphError(
                    f"the images differ in size, and no step of view '{name}' brings them to one; "
                    "start its augmentation with a crop to one size (sslgraph list parts)"
                )
            batch[f"{name}.image"] = views.to(dtype, memory_format=layout)
            batch[f"{name}.index"] = index.repeat(steps.copies).to(device)
            batch[f"{name}.box"] = frame.box().to(device)
            batch[f"{name}.flip"] = frame.is_mirrored().to(device)
            batch[f"{name}.colours"] = steps.colours(rows).to(device)
            if maps is not None:
                batch[f"{name}.map"] = torch.stack(steps.resample.maps(maps, frame)).to(device)
        return batch

    def refuse(self, channels: int) -> None:
        """Refuses all steps that are not for images of this many channels, each by its name."""
        faults = []
        for name, view in self.views.items():
            for key, step in view.steps.items():
                try:
                    getattr(step, "takes", int)(channels)
                except ValueError as wrong:
                    faults.append(Fault(("views", name, key), f"step '{key}': {wrong}"))
        raise_all(faults)

    def sizes(self, height: int, width: int) -> dict[str, tuple[int, int]]:
        """Height and width of each view of an image of this size, without looking at one."""
        return {name: _size(steps, height, width) for name, steps in self.views.items()}


def clocked(
    program: Callable[..., dict[str, Tensor]],
    images: Images,
    index: Int64[Tensor, "batch"],
    *,
    seed: int,
    epoch: int,
    step: int,
    device: torch.device | str = "cpu",
    labels: Int64[Tensor, "images"] | None = None,
    **form: Any,
) -> dict[str, Tensor]:
    """All that a compiled method takes: the views, what parts draw random numbers from, and the clock.

    With the `labels` of all images, x.label too for each view x.
    """
    batch = program(images, index, seed=seed, epoch=epoch, device=device, **form)
    if labels is not None:
        for name in [name for name in batch if name.endswith(".index")]:
            batch[f"{name.removesuffix('index')}label"] = labels[batch[name].cpu()].to(device)
    batch["draw"] = keyed(seed, epoch, index.cpu()).to(device)
    return {**batch, **clock_of(seed=seed, epoch=epoch, step=step, device=device)}


def clock_of(*, seed: int, epoch: int, step: int, device: torch.device | str = "cpu") -> dict[str, Tensor]:
    """The clock for parts that change from step to step, as a batch holds it."""
    return {"clock": torch.tensor([seed, epoch, step], device=device)}


def _built(part: Part) -> Placing | Painting:
    allowed = registry.let_through(part.use)
    step: Any = registry.build(part.use, dict(part.settings), allowed)
    is_ready = isinstance(step, Placing) or hasattr(step, "plan")
    return step if is_ready else ModuleStep(step, registry.signature(part.use, allowed))


def _size(steps: Steps, height: int, width: int) -> tuple[int, int]:
    draw = keyed(0, 0, torch.zeros(steps.copies, dtype=torch.int64))
    frame = steps.resample.whole([torch.empty(3, height, width, device="meta")], steps.copies)
    for step in steps.steps.values():
        frame = step.place(draw, frame) if isinstance(step, Placing) else frame
    return int(frame.rows.size[0]), int(frame.columns.size[0])


def evaluation_view(
    views: Mapping[str, View], augmentations: Mapping[str, Augmentation], *, like: str, size: int | None = None
) -> ViewProgram:
    """The fixed view `x` for measuring features: EVALUATION with the size and the normalisation of `like`.

    `like` names a training view; if that is not normalised (SimCLR's), this is not either. `size` overrides the side.
    """
    side, normalize = shown(views, augmentations, like)
    return _fixed(augmentations[EVALUATION], size or side, normalize)


def pixel_view() -> ViewProgram:
    """The fixed view `x` of the pixels themselves: PIXELS a side, not normalised, for one data set always the same."""
    return _fixed(load_augmentation(EVALUATION).spec, PIXELS, None)


def _fixed(center: Augmentation, side: int | None, normalize: Part | None) -> ViewProgram:
    """A view `x` with the steps of `center`, of this side, with another normalisation or none."""
    steps = {name: part for name, part in center.steps.items() if not is_normalization(part)}
    steps |= {"normalize": normalize} if normalize is not None else {}
    view = View(augment=EVALUATION, settings={"size": side} if side else {})
    return ViewProgram.build({"x": view}, {EVALUATION: Augmentation(augmentation=EVALUATION, steps=steps)})
