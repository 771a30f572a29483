"""What a YAML text may say, as frozen values: a method, a recipe, a pipeline, an augmentation. Imports no torch.

In a text the settings of a part stand beside its reserved keys (`{use: heads.mlp, out: 128, frozen: true}`); here
everything that is not reserved is gathered in `settings`. Nothing is converted: text is not a number, 1 is not true.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, model_validator
from pydantic import ModelWrapValidatorHandler as Handler
from pydantic import ValidationInfo as Info

from sslgraph.errors import Path as Path
from sslgraph.read.values import ALWAYS as ALWAYS
from sslgraph.read.values import Freeze, Length, Momentum, Pause, Weight, source


class _Text(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="wrap")
    @classmethod
    def _gather(cls, value: Any, handler: Handler[Any], info: Info) -> Any:
        """Puts what is not reserved into `settings`; a text that writes the word itself is refused."""
        if "settings" not in cls.model_fields or not isinstance(value, dict):
            return handler(value)
        if info.context == "text" and "settings" in value:
            raise ValueError("settings stand beside use: and the other keys, not under settings:")
        reserved = {field.alias or name for name, field in cls.model_fields.items()}
        own = {key: value[key] for key in value if key in reserved}
        more = {key: value[key] for key in value if key not in reserved}
        return handler({**own, "settings": {**own.get("settings", {}), **more}})


class Paper(_Text):
    """Where a method was published."""

    title: str
    year: int
    arxiv: str | None = None
    url: str | None = None


# What a view with crop_of may set of the steps that place its crop: how many pixels it has, how they are interpolated.
OWN = ("size", "interpolation")


class View(_Text):
    """One draw of an augmentation, or a bag of `copies` draws; `settings` override the augmentation's by name."""

    augment: str
    crop_of: str | None = None  # the view whose box and flip this one shares
    copies: int = Field(default=1, ge=1)
    settings: dict[str, Any] = {}


class Weights(_Text):
    """Where the weights of a net come from: a file, a run folder, `$name` of the recipe's given:, or timm:NAME."""

    source: str = Field(alias="from")
    under: str | None = None  # which net of several in the file: what its names begin with
    leave: list[str] = Field(default=[], alias="except")  # names, in the file or in the net, that stay as they are

    @property
    def name(self) -> str | None:
        """The name of the recipe's given: that it stands for."""
        return self.source[1:] if self.source.startswith("$") else None


NetRole = Literal["encoder", "projector", "predictor", "decoder", "discriminator", "prototypes", "classifier"]


class Part(_Text):
    """A part with its settings: a net, an op, a state."""

    use: str
    settings: dict[str, Any] = {}
    frozen: bool = False
    freeze: Freeze | None = None  # "1 epoch", "always", or {submodule: "1 epoch"}
    weights: Annotated[Weights | None, BeforeValidator(source)] = None  # what it begins with
    mode: Literal["train", "eval"] | None = None
    dtype: Literal["float32"] | None = None
    sync_norm: bool = True  # BatchNorm statistics over all ranks
    role: NetRole | None = None  # what a net is there for, where its place in the figure does not say it

    @property
    def is_frozen(self) -> bool:
        """Whether no gradient ever moves any of its weights."""
        return self.frozen or self.freeze == ALWAYS

    @property
    def freezes(self) -> dict[str, str]:
        """What stands still until when, by the names of modules in it; "" is the whole."""
        if isinstance(self.freeze, dict):
            return self.freeze
        return {"": self.freeze} if self.freeze and not self.is_frozen else {}

    @property
    def fixed(self) -> tuple[str, ...]:
        """The names of what is in it and never moves."""
        return tuple(name for name, until in self.freezes.items() if until == ALWAYS)


class Average(_Text):
    """A copy of a net that follows it by exponential moving average and never receives a gradient."""

    ema_of: str
    momentum: Momentum
    init: Literal["copy", "independent"] = "copy"
    mode: Literal["train", "eval"] | None = None
    dtype: Literal["float32"] | None = None
    settings: dict[str, Any] = {}  # overrides of the followed net's settings, such as drop_path: 0

    @property
    def follows(self) -> str:
        """The net whose weights it takes."""
        return self.ema_of


class Snapshot(_Text):
    """A copy of a net, or of its moving average, as it was at a certain step: taken anew now and then."""

    snapshot_of: str
    every: Pause | None = None
    start: Length | None = Field(default=None, alias="from")  # when it is taken first; else after `every`
    at_most: int | None = Field(default=None, ge=1)  # how often it is taken
    mode: Literal["train", "eval"] | None = None
    dtype: Literal["float32"] | None = None
    settings: dict[str, Any] = {}

    @property
    def follows(self) -> str:
        """The net or target whose weights it takes."""
        return self.snapshot_of

    @property
    def when(self) -> str:
        """In words: "every 10000 steps from 5 epochs, at most 3"."""
        times = f"every {self.every}{f' from {self.start}' if self.start else ''}" if self.every else f"at {self.start}"
        return f"{times}, at most {self.at_most}" if self.at_most and self.every else times

    @model_validator(mode="after")
    def _is_taken(self) -> Snapshot:
        if self.every is None and self.start is None:
            raise ValueError("says neither every: nor from:, so it would never be taken; write every: 10000 steps")
        if self.every is None and self.at_most not in (None, 1):
            raise ValueError(f"at_most: {self.at_most} needs every:, the time between two of them")
        return self


def _kind_of_target(value: Any, info: Info) -> Average | Snapshot:
    kind = Snapshot if isinstance(value, dict) and "snapshot_of" in value else Average
    return value if isinstance(value, Average | Snapshot) else kind.model_validate(value, context=info.context)


Target = Average | Snapshot


class Loss(_Text):
    """A loss; `settings` holds settings and named ports alike, the part's signature tells them apart."""

    use: str
    of: list[str] = []
    weight: Weight = 1.0
    trains: list[str] | None = None
    settings: dict[str, Any] = {}


class Phase(_Text):
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


class Drawing(_Text):
    """How a method is drawn, where the drawing can't know it; nothing that is computed depends on it."""

    names: dict[str, str] = {}  # of parts: what their boxes are called; of views: what their augmentations are
    branches: dict[str, str] = {}  # of nets and targets: what the ground of their branch is called
    hide: list[str] = []  # ops that are left out
    order: list[str] = []  # nets, targets or views, whose branches come first
    focus: list[str] = []  # parts that stand out, with what they are joined to
    caption: str = ""  # below the picture


class Method(_Text):
    """The figure of a paper."""

    method: str
    family: str = "other"
    paper: Paper | None = None
    views: dict[str, View]
    nets: dict[str, Part]
    targets: dict[str, Annotated[Target, PlainValidator(_kind_of_target)]] = {}
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
        """The targets that stand still between two steps at which they are taken."""
        return {name: target for name, target in self.targets.items() if isinstance(target, Snapshot)}


class Augmentation(_Text):
    """A named pipeline of steps that make a view; the order of `steps` is the order of work."""

    augmentation: str
    steps: dict[str, Part]


class Data(_Text):
    """Where the images come from: a source with its settings."""

    use: str
    settings: dict[str, Any] = {}


class Recipe(_Text):
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
    compile: bool = False
    strategy: Literal["ddp", "fsdp"] = "ddp"  # weights whole on every process, or shared out
    recompute: list[str] = []  # nets whose blocks are computed once more for the backward pass
    evaluate: dict[str, Any] = {}
    checkpoint: dict[str, Any] = {}
    monitor: Pause | None = "50 steps"  # how often edges are looked at; null: never
    plugins: list[str] = []
    given: dict[str, str] = {}
    begin_with: str | None = None  # a run, or one of its checkpoints, with whose weights this one begins
    seed: int = Field(default=0, ge=0, lt=2**32)

    @model_validator(mode="after")
    def _one_length(self) -> Recipe:
        if (self.epochs is None) == (self.steps is None):
            raise ValueError("a recipe says how long it trains, by either epochs: or steps:")
        return self


class Stage(_Text):
    """One stage of a pipeline: what it does, with what, and which artefacts it is given."""

    do: str
    recipe: str | None = None
    of: str | None = None
    given: dict[str, str] = {}
    settings: dict[str, Any] = {}


class Pipeline(_Text):
    """Stages that pass artefacts on to each other."""

    pipeline: str
    stages: dict[str, Stage]
