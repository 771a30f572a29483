"""What is written in a box: the role of a part, what it is exactly, where the spec says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sslgraph.diff.changes import written
from sslgraph.diff.figure import Figure
from sslgraph.errors import SslgraphError
from sslgraph.read.load import load_augmentation
from sslgraph.read.spec import Average, Path
from sslgraph.views.overrides import is_normalization, resolve
from sslgraph.wire.graph import Box as Part
from sslgraph.wire.graph import LossBox, NetBox, TargetBox, Value
from sslgraph.wire.sketched import is_draft

from ..elements.formulas import formula_of
from ..elements.picture import Box, Kind, Level, Line, Weights
from ..elements.words import count, loss_words, number, op_words, part_words, settings_words, shape_words, title_of
from .calls import Calls
from .sizes import shapes_of, sizes_of
from .symmetry import Symmetry

if TYPE_CHECKING:
    from sslgraph.settle.sized import SizedGraph, SizedLeg


# Of a state, what its shape says, and what it holds only until it is written.
SIZES = ("images", "size", "rows", "dim", "count", "classes", "init")


class Describer:
    """Makes the boxes of one panel."""

    def __init__(self, sized: SizedGraph, level: Level, prefix: str, batch: int, mirror: Symmetry | None) -> None:
        self.sized, self.graph, self.level, self.prefix = sized, sized.graph, level, prefix
        self.batch, self.mirror = batch, mirror
        self.names = sizes_of(sized, batch)
        self.figure = Figure(self.graph.method, self.graph.plugins)

    def views(self, leg: SizedLeg, stacks: list[list[str]]) -> Iterator[tuple[Box, Box]]:
        """For each stack of views the augmentation that draws it, and the stack itself."""
        recipes: list[str] = []
        for place, mates in enumerate(stacks):
            view, views = mates[0], [self.graph.method.views[mate] for mate in mates]
            names = ", ".join(dict.fromkeys(spec.augment for spec in views))
            steps = " | ".join(dict.fromkeys(self._steps(mate) for mate in mates))
            recipe = f"{names} {views[0].settings}"
            recipes += [recipe] if recipe not in recipes else []
            image = next((v for v in leg.leg.values.values() if v.view == view and v.port == "image"), None)
            seen = leg.shapes(image.name) if image else ()  # nothing in a sketch
            shapes = (shape_words([(self.batch, *seen[0][1:])], self.batch),) if seen else ()
            origin = views[0].crop_of
            moved = ", moved" if views[0].shift else ""
            title = f"crop of {origin}{moved}" if origin else f"t{_primes(place)} ~ T{_primes(recipes.index(recipe))}"
            pill = Box(
                f"{self.prefix}t.{view}",
                "augmentation",
                title=title,
                sub=steps,
                part=view,
                copies=sum(spec.copies for spec in views),
                use=names,
                settings=_texts(views[0].settings),
                lines=self._lines(*(("views", mate) for mate in mates)),
            )
            stack = replace(pill, id=f"{self.prefix}{view}", kind="view", title="", sub="", symbol=", ".join(mates))
            yield pill, replace(stack, crop_of=origin or "", shapes=shapes, values=tuple(mates))

    def _steps(self, view: str) -> str:
        """What an augmentation does, in its own words for its steps; what it never does is left out."""
        spec = self.graph.method.views[view]
        try:
            steps = resolve({view: spec}, {spec.augment: load_augmentation(spec.augment).spec})[view]
        except SslgraphError:  # a graph may be made without one
            return spec.augment
        done = [name for name, step in steps.items() if step.settings.get("p") != 0 and not is_normalization(step)]
        return ", ".join(name.replace("_", " ") for name in done)

    def call(self, calls: Calls, leg: SizedLeg, value: Value) -> Box:
        """The box of a call, of a loss, or of the state that is read."""
        part = self.graph.boxes[str(value.box)]
        settings = self.sized.settings.get(part.name, part.settings)
        is_state = part.section == "state"
        rows = None if is_state and not value.inputs else self.batch
        box = Box(
            f"{self.prefix}{value.name}",
            "op",
            symbol=part.name,
            part=part.name,
            use=part.use,
            about=part.signature.doc.strip().split("\n")[0],
            source=part.traits.source,
            settings=_texts(settings),
            parameters=self.sized.parameters(part.name) if part.name in self.sized.parts else 0,
            values=(value.name,),
            shapes=shapes_of(self.graph, leg, value.name, rows, self.names),
            lines=self._lines(part.path, value.path),
            is_draft=is_draft(part.signature),
        )
        if isinstance(part, LossBox):
            return self._loss(part, settings, box, is_alone=len(calls.losses) == 1)
        if is_state:
            return self._memory(part, settings, box)
        if part.section in ("nets", "targets"):
            return self._net(calls, value, part, settings, box)
        title, sub = op_words(part.signature, settings, own_settings(part))
        return replace(
            box, title=title, sub=sub, symbol=part.name if part.section == "ops" else "", shows=part.traits.shows
        )

    def _loss(self, part: LossBox, settings: dict[str, Any], box: Box, *, is_alone: bool) -> Box:
        trains = tuple(part.spec.trains or ())
        note = [f"trains {', '.join(trains)}"] if trains else []
        if self.mirror is not None and part.name in self.mirror.mirrors.values():
            apart = self.mirror.apart[part.name]
            note += ["+ the same with", "views swapped" + (f" ({', '.join(apart)} transposed)" if apart else "")]
        wired = {port for port in part.signature.ports if port not in part.signature.settings}
        own = {name: value for name, value in settings.items() if name not in wired}
        title, kind = title_of(part.signature), part.traits.kind
        sub = loss_words("" if kind in title else kind, own, part.spec.weight)
        name = part.name.replace("_", " ")
        if not is_alone and name.lower() != title.lower():  # which of several it is
            title, sub = name, "\n".join(filter(None, (title, sub)))
        is_crossed = _default(part, settings, "pairs") == "different_views"
        box = replace(box, id=f"{self.prefix}{part.name}", kind="loss", title=title, sub=sub, note="\n".join(note))
        return replace(box, trains=trains, formula=formula_of(part.signature.doc), is_crossed=is_crossed)

    def _memory(self, part: Part, settings: dict[str, Any], box: Box) -> Box:
        shape = next(iter(box.shapes), "")
        # How many images there are, the data set says, not the method: a picture must not name the number assumed here.
        is_table, own = "images" in settings, part.settings.get("images")
        sub = f"{number(own)} images" if own else "a row for each image" if is_table else shape
        sub = "" if sub.startswith("B") else sub
        own_words = settings_words({name: said for name, said in own_settings(part).items() if name not in SIZES})
        sub = "\n".join(filter(None, (sub, own_words.split("\n")[0])))
        return replace(box, id=f"{self.prefix}{part.name}", kind="memory", title=title_of(part.signature), sub=sub)

    def _net(self, calls: Calls, value: Value, part: Part, settings: dict[str, Any], box: Box) -> Box:
        role = self.figure.role(part.net)
        kind: Kind = "encoder" if role == "encoder" else "decoder" if role == "decoder" else "head"
        trained_by, arrives = calls.trains(value), calls.carried[value.name]
        words = part_words(part.signature, settings)
        sub = f"{words} · {count(box.parameters)}" if box.parameters and self.level == "paper" else words
        weights: Weights = "trained"
        if isinstance(part, TargetBox):
            words = "slow copy" if isinstance(part.spec, Average) else "snapshot"
            weights, sub = "ema", f"{words} of {part.spec.follows}"
        elif isinstance(part, NetBox) and part.spec.is_frozen:
            weights = "frozen"
        elif not calls.leg.is_training:
            weights, sub = "frozen", "fixed in this pass"
        elif not trained_by and arrives:
            weights = "frozen"
            sub = f"fixed for {', '.join(loss.name for loss in calls.losses if loss.name in arrives)}"
        title = role if self.level == "paper" else ""
        shows, share = self._entering(calls, value) if kind == "encoder" else ("", "")
        fixed = part.spec.fixed if isinstance(part, NetBox) else ()
        note = f"{', '.join(fixed)} fixed" if fixed else ""
        box = replace(box, kind=kind, title=title, sub=sub, weights=weights, note=note)
        return replace(box, trained_by=trained_by, shows=shows, share=share)

    def _entering(self, calls: Calls, value: Value) -> tuple[str, str]:
        """What an encoder sees of an image that a mask goes with, and the mask's ratio: the visible patches, or all."""
        reads = [read for read in calls.reads if read.reader == value.name]
        if not any(calls.calls[read.maker].view for read in reads):
            return "", ""
        for read in reads:
            box = calls.calls[read.maker].box
            mask = self.graph.boxes[box] if box else None
            if mask is not None and mask.traits.shows in ("mask", "blocks"):
                port = next((port for port in mask.signature.outputs if port.name == read.output), None)
                how = "visible" if port is not None and port.text.startswith("Int") else "masked"
                settings = self.sized.settings.get(mask.name, mask.settings)
                return f"{how} {mask.traits.shows}", str(settings.get("ratio", ""))
        return "", ""

    def _lines(self, *paths: Path) -> tuple[Line, ...]:
        places = [place for path in paths if path and (place := self.graph.place(path)) is not None]
        lines = [Line(place.file.replace("\\", "/").rpartition("/")[2], place.line) for place in places]
        return tuple(dict.fromkeys(lines))


def own_settings(part: Part) -> dict[str, Any]:
    """What a spec says of a part and would not have to say: what is the part's default tells nothing."""
    known = part.signature.settings
    return {name: said for name, said in part.settings.items() if name in known and said != known[name].default}


def _default(part: Part, settings: dict[str, Any], name: str) -> Any:
    """A setting, or what it is where the spec does not say it."""
    known = part.signature.settings.get(name)
    return settings.get(name, known.default if known else None)


def _primes(number: int) -> str:
    return "′" * number if number < 4 else f" {number + 1}"


def _texts(settings: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(written(value))) for name, value in settings.items() if value is not None)
