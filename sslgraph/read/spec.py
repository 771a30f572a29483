"""What a YAML text may say, as frozen values: a method, a recipe, a pipeline, an augmentation. Imports no torch.

In a text the settings of a part stand beside its reserved keys (`{use: heads.mlp, out: 128, frozen: true}`); here
everything that is not reserved is gathered in `settings`. Nothing is converted: text is not a number, 1 is not true.
"""
# ruff: noqa: RUF012 - pydantic copies the defaults of a model

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, model_validator

from sslgraph.errors import Path as Path
from sslgraph.read.values import ALWAYS as ALWAYS
from sslgraph.read.values import Average as Average
from sslgraph.read.values import Freeze, Length, Pause, Text, Weight, kind_of_target, source
from sslgraph.read.values import Snapshot as Snapshot
from sslgraph.read.values import Target as Target


class Paper(Text):
    """Where a method was published."""

    title: str
    year: int
    arxiv: str | None = None
    url: str | None = None
    after: str | None = None  # the method that it builds on, where the graphs alone would say another


# What a view with crop_of may set of the steps that place its crop: how many pixels it has, how they are interpolated.
OWN = ("size", "interpolation")


class View(Text):
    """One draw of an augmentation, or a bag of `copies` draws; `settings` override the augmentation's by name."""

    augment: str
    crop_of: str | None = None  # the view whose box and flip this one shares
    shift: int = Field(default=0, ge=0)  # pixels of this view by which that box moves at most
    copies: int = Field(default=1, ge=1)
    settings: dict[str, Any] = {}


class Weights(Text):
    """Where the weights of a net come from: a file, a run folder, `$name` of the recipe's given:, or timm:NAME."""

    source: str = Field(alias="from")
    under: str | None = None  # which net of several in the file: what its names begin with
    leave: list[str] = Field(default=[], alias="except")  # names, in the file or in the net, that stay as they are

    @property
    def name(self) -> str | None:
        """The name under the recipe's given: that it refers to."""
        return self.source[1:] if self.source.startswith("$") else None


NetRole = Literal["encoder", "projector", "predictor", "decoder", "discriminator", "prototypes", "classifier"]


class Part(Text):
    """A part with its settings: a net, an op, a state."""

    use: str
    settings: dict[str, Any] = {}
    frozen: bool = False
    freeze: Freeze | None = None  # "1 epoch", "always", or {submodule: "1 epoch"}
    weights: Annotated[Weights | None, BeforeValidator(source)] = None  # what it begins with
    mode: Literal["train", "eval"] | None = None
    dtype: Literal["float32"] | None = None
    sync_norm: bool = True  # BatchNorm statistics over all ranks
    norm_splits: int = Field(default=1, ge=1)  # groups of images with BatchNorm statistics of their own, over all ranks
    role: NetRole | None = None  # what a net is there for, where its place in the figure does not say it

    @property
    def is_frozen(self) -> bool:
        """Whether no gradient ever moves any of its weights."""
        return self.frozen or self.freeze == ALWAYS

    @property
    def freezes(self) -> dict[str, str]:
        """What is frozen until when, by the names of modules in it; "" is the whole."""
        if isinstance(self.freeze, dict):
            return self.freeze
        return {"": self.freeze} if self.freeze and not self.is_frozen else {}

    @property
    def fixed(self) -> tuple[str, ...]:
        """The names of what is in it and never moves."""
        return tuple(name for name, until in self.freezes.items() if until == ALWAYS)


class Loss(Text):
    """A loss; `settings` holds settings and named ports alike, the part's signature tells them apart."""

    use: str
    of: list[str] = []
    weight: Weight = 1.0
    trains: list[str] | None = None
    settings: dict[str, Any] = {}


class Phase(Text):
    """A leg of a method that is a program: a pass over the data set (`collect`, `then`) or training (`losses`)."""

    name: str
    every: Pause | None = None
    start: Length | None = Field(default=None, alias="from")
    at: list[Length] | None = None
    flow: dict[str, str] = {}
    collect: str | None = None
    then: list[str] = []
    losses: dict[str, Loss] = {}
    after_step: list[str] = []
    sample: dict[str, str] | None = None  # {balance: labels}


class Drawing(Text):
    """How a method is drawn, where the drawing can't know it; nothing that is computed depends on it."""

    names: dict[str, str] = {}  # of parts: what their boxes are called; of views: what their augmentations are
    branches: dict[str, str] = {}  # of nets and targets: what the ground of their branch is called
    hide: list[str] = []  # ops that are left out
    order: list[str] = []  # nets, targets or views, whose branches come first
    focus: list[str] = []  # parts that stand out, with what they are joined to
    caption: str = ""  # below the picture
    equation: bool = False  # whether the formulas of the losses are shown, too


class Method(Text):
    """The figure of a paper."""

    method: str
    family: str = "other"
    paper: Paper | None = None
    views: dict[str, View]
    nets: dict[str, Part]
    targets: dict[str, Annotated[Target, PlainValidator(kind_of_target, json_schema_input_type=Target)]] = {}
    state: dict[str, Part] = {}
    ops: dict[str, Part] = {}
    flow: dict[str, str] = {}
    losses: dict[str, Loss] = {}
    after_step: list[str] = []
    phases: list[Phase] = []
    export: str
    picture: Drawing = Drawing()
    lint: dict[str, str] = {}  # rules of the linter that do not count here, each with its reason

    def net_of(self, target: str) -> str:
        """The net that a target is a copy of; of a snapshot of a moving average, the net under both."""
        follows = self.targets[target].follows
        return self.targets[follows].follows if follows in self.targets else follows

    @property
    def averages(self) -> dict[str, Average]:
        """The targets that follow their nets at every step."""
        return {name: target for name, target in self.targets.items() if isinstance(target, Average)}

    @property
    def snapshots(self) -> dict[str, Snapshot]:
        """The targets that are copied at some steps and fixed between them."""
        return {name: target for name, target in self.targets.items() if isinstance(target, Snapshot)}


class Augmentation(Text):
    """A named pipeline of steps that make a view; the order of `steps` is the order of work."""

    augmentation: str
    steps: dict[str, Part]


class Data(Text):
    """Where the images come from: a source with its settings."""

    use: str
    settings: dict[str, Any] = {}

    @property
    def image_channels(self) -> int:
        """Channels of its images: as many as `channels` names, else three."""
        named = self.settings.get("channels")
        return len(named) if isinstance(named, list) else 3


class Recipe(Text):
    """The numbers of a run: data, optimizer, evaluation, and the method as the recipe changes it."""

    recipe: str
    method: Method
    data: Data
    epochs: int | None = Field(default=None, ge=1)
    steps: int | None = Field(default=None, ge=1)
    batch: int = Field(ge=1)
    accumulate: int = Field(default=1, ge=1)
    optimizer: dict[str, Any]
    precision: Literal["auto", "bfloat16", "float32", "float64"] = "auto"
    compile: Literal[True, False, "graphs"] = False  # torch.compile of the step; graphs: replayed as CUDA graphs
    strategy: Literal["ddp", "fsdp"] = "ddp"  # weights whole on every process, or shared out
    threads: int | None = Field(default=None, ge=1)  # of each process on a processor; null: its share of the cores
    recompute: list[str] = []  # nets whose blocks are computed once more for the backward pass
    evaluate: dict[str, Any] = {}
    checkpoint: dict[str, Any] = {}
    monitor: Pause | None = "50 steps"  # how often edges are looked at; null: never
    track: list[Literal["wandb", "mlflow", "trackio"]] = []  # trackers that get the numbers besides TensorBoard
    plugins: list[str] = []
    given: dict[str, str] = {}
    begin_with: str | None = None  # a run, or one of its checkpoints, with whose weights this one begins
    expect: str | None = None  # what such a run is known to reach, said at its end
    seed: int = Field(default=0, ge=0, lt=2**32)

    @model_validator(mode="after")
    def _one_length(self) -> Recipe:
        if (self.epochs is None) == (self.steps is None):
            raise ValueError("a recipe says how long it trains, by either epochs: or steps:")
        return self


class Stage(Text):
    """One stage of a pipeline: what it does, with what, and which artefacts it is given.

    It is done once for each choice of the axes of the grid under `over`.
    """

    do: str
    recipe: str | None = None
    of: str | None = None
    given: dict[str, str] = {}
    over: list[str] = []
    settings: dict[str, Any] = {}


def _axis(value: Any) -> Any:
    is_list = isinstance(value, list) and all(isinstance(one, str | int | float) for one in value)
    is_mapping = isinstance(value, dict) and all(isinstance(one, dict) for one in value.values())
    if not value or not (is_list or is_mapping):
        raise ValueError("must be a list of values, or names of choices, each with a mapping of what it changes")
    return value


class Pipeline(Text):
    """Stages that pass artefacts on to each other.

    `grid` has axes: a list of values of the setting of that name, or what each named choice changes.
    """

    pipeline: str
    grid: dict[str, Annotated[Any, AfterValidator(_axis)]] = {}
    stages: dict[str, Stage]
