"""The wired method: boxes (parts) and values (what flows between them), leg by leg. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from sslgraph.errors import Place
from sslgraph.parts.signature import Port, Signature
from sslgraph.read.spec import Loss, Method, Part, Path, Phase, Target
from sslgraph.traits import Traits

HANDED_ON = ("port", "bag", "member")  # kinds of values that hand on the rows of others
Section = Literal["nets", "targets", "state", "ops", "losses", "wiring"]
VIEW_PORTS = {
    "image": Port("image", 'Float[Tensor, "batch channels height width"]'),
    "index": Port("index", 'Int64[Tensor, "batch"]'),
    "label": Port("label", 'Int64[Tensor, "batch"]'),  # of the image; -1 where it has none
    "map": Port("map", 'Int64[Tensor, "batch height width"]'),  # of the view's pixels; -1 where one has none
    "box": Port("box", 'Float[Tensor, "batch 4"]'),
    "flip": Port("flip", 'Bool[Tensor, "batch"]'),
    "colours": Port("colours", 'Float[Tensor, "batch 4"]'),  # drawn brightness, contrast, saturation, hue
}


@dataclass(frozen=True)
class Box:
    """A part of a method as all kinds have it; each kind below says its section and what `spec` is."""

    section: ClassVar[Section]
    name: str
    use: str
    settings: dict[str, Any]
    signature: Signature
    path: Path
    spec: Part | Target | Loss | None
    numbers: tuple[str, ...] = ()  # settings that the flow makes: ports of its signature, behind the others

    @property
    def traits(self) -> Traits:
        """What the part says of itself."""
        return self.signature.traits

    @property
    def made(self) -> dict[str, str]:
        """The settings that the flow makes, with what makes them."""
        said = {**getattr(self.spec, "settings", {}), "weight": getattr(self.spec, "weight", "")}
        return {name: str(said[name]) for name in self.numbers}

    @property
    def net(self) -> str:
        """The net that it is a form of: of a target the net that it follows, else the part itself."""
        return self.name

    @property
    def is_float32(self) -> bool:
        """Whether it computes in float32 with autocast off."""
        is_asked = isinstance(self.spec, Part | Target) and self.spec.dtype == "float32"
        return is_asked or isinstance(self, LossBox) or self.traits.float32


@dataclass(frozen=True)
class NetBox(Box):
    """A net, which losses train unless it is frozen."""

    section = "nets"
    spec: Part


@dataclass(frozen=True)
class TargetBox(Box):
    """A copy of a net: a slow one, or a snapshot."""

    section = "targets"
    spec: Target
    of_net: str = ""

    @property
    def net(self) -> str:
        """The net that it is a copy of."""
        return self.of_net


@dataclass(frozen=True)
class StateBox(Box):
    """A state, read in the flow and written after the step."""

    section = "state"
    spec: Part


@dataclass(frozen=True)
class OpBox(Box):
    """An operation without a loss or a memory."""

    section = "ops"
    spec: Part


@dataclass(frozen=True)
class LossBox(Box):
    """A loss."""

    section = "losses"
    spec: Loss


@dataclass(frozen=True)
class WiringBox(Box):
    """A wiring part that a flow calls without declaring it, such as stopgrad."""

    section = "wiring"
    spec: None = None


@dataclass(frozen=True)
class Value:
    """One thing that flows: a view's port, a call, a port of a call, a bag of several, a member of one, or a loss."""

    name: str
    kind: Literal["view", "given", "call", "port", "bag", "member", "loss"]
    box: str | None = None
    inputs: tuple[tuple[str, str], ...] = ()  # (input port, name of the value), in the order of the ports
    port: str | None = None
    path: Path = ()
    view: str | None = None  # of a view's port, the view
    member: int | None = None  # of a member, its place in the bag


@dataclass(frozen=True)
class Write:
    """One line of after_step or then: a method of a part, called with values after the step."""

    box: str
    method: str
    inputs: tuple[tuple[str, str], ...]
    path: Path


@dataclass
class Leg:
    """One acyclic program: a training step, a pass over the data set, or what follows such a pass."""

    name: str
    phase: Phase | None = None
    values: dict[str, Value] = field(default_factory=dict)  # in an order in which they can be computed
    flow: dict[str, str] = field(default_factory=dict)  # the spec's name -> the value's name
    read: set[str] = field(default_factory=set)  # the spec's names that something reads
    writes: list[Write] = field(default_factory=list)
    collect: str | None = None
    then: Leg | None = None
    is_after_pass: bool = False  # it works on one row for each image of the data set

    @property
    def losses(self) -> list[Value]:
        """The losses of this leg, in the order of the spec."""
        return [value for value in self.values.values() if value.kind == "loss"]

    @property
    def is_training(self) -> bool:
        """Whether this leg takes optimizer steps."""
        return bool(self.losses)

    def upstream(self, name: str) -> list[str]:
        """A value and all that it is computed from in this leg."""
        found = [name]
        for value in found:
            found += [source for _, source in self.values[value].inputs if source not in found]
        return list(dict.fromkeys(found))


@dataclass(frozen=True)
class Graph:
    """A wired method: every part with its settings, every leg with its values."""

    method: Method
    boxes: dict[str, Box]
    legs: tuple[Leg, ...]
    export: Leg
    place: Callable[[Path], Place | None]
    plugins: tuple[str, ...] = ()

    @property
    def training(self) -> Leg:
        """The leg that takes optimizer steps."""
        return next(leg for leg in self.legs if leg.is_training)

    @property
    def every_leg(self) -> list[Leg]:
        """The legs, each with what follows its pass over the data set."""
        return [part for leg in self.legs for part in (leg, leg.then) if part is not None]

    def maker(self, value: Value) -> Box | None:
        """The part that makes a value; None for one that no part makes."""
        return None if value.box is None else self.boxes[value.box]

    def loss(self, name: str) -> LossBox:
        """The box of a loss by its name."""
        box = self.boxes[name]
        assert isinstance(box, LossBox)
        return box

    @property
    def exported(self) -> tuple[str, ...]:
        """The nets and targets that make the representation, in the order in which they work."""
        made_by = [self.boxes[value.box] for value in self.export.values.values() if value.box]
        return tuple(dict.fromkeys(box.name for box in made_by if box.section in ("nets", "targets")))

    @property
    def seen(self) -> str:
        """The view after which evaluation sees an image: its size, its normalisation."""
        return next(str(value.view) for value in self.export.values.values() if value.kind == "view")


def no_place(_: Path) -> Place | None:
    """For methods that were made in Python and are in no file."""
    return None
