"""A method's parts on the meta device: each is built from the widths that arrive, and run for the shapes it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from sslgraph.errors import SpecError, line_of, refusal
from sslgraph.parts import registry
from sslgraph.parts.signature import RESERVED_PORTS, Port
from sslgraph.read.spec import Path
from sslgraph.settle import real_run
from sslgraph.settle.axes import bind, clash, promised
from sslgraph.settle.given_numbers import with_numbers
from sslgraph.wire.graph import Box, LossBox, TargetBox, Value, Write


@dataclass
class MetaPart:
    """A part without storage, its complete settings, and, of a loss, the values that mean something."""

    module: nn.Module
    settings: dict[str, Any]
    landmarks: dict[str, float] = field(default_factory=dict)
    needs_numbers: bool = False  # and so was run on a few real images


class MetaParts:
    """The parts that all legs share; `dataset` is the number of images of the data set."""

    def __init__(self, dataset: int, plugins: tuple[str, ...]) -> None:
        self.dataset, self.plugins = dataset, plugins
        self.built: dict[str, MetaPart] = {}
        self._arrived: dict[str, list[Mapping[str, Any]]] = {}  # what each target is called with
        self._results: dict[Any, Any] = {}  # of earlier calls: a net gives the same shapes for its second view

    def missing(self, box: Box, widths: Mapping[str, int]) -> list[str]:
        """The settings that neither the spec nor these widths fill."""
        return [name for name in _left_out(box) if name not in widths and name != "images"]

    def build(self, box: Box, widths: Mapping[str, int]) -> None:
        """Makes a part; the settings that its spec leaves out are the sizes of axes of the same name."""
        known = {**widths, "images": self.dataset}
        settings = {**box.settings, **{name: known[name] for name in _left_out(box) if name in known}}
        try:
            self.built[box.name] = made = self._made(box, settings)
            made.module = with_numbers(made.module, box)
        except Exception as wrong:  # whatever a constructor finds wrong is the spec's fault, reported at its place
            raise self._refused(box, box.path, f"'{box.name}' ({box.use}) can't be built", wrong) from wrong

    def refuse_clash(self, value: Value, box: Box, ports: Mapping[str, Port], metas: Mapping[str, Any]) -> None:
        """Refuses a tensor with other axes than its port, and an axis name with two sizes within a call."""
        if misfit := clash(ports, metas):
            raise refusal(value.path, f"value '{value.name}': '{box.name}' ({box.use}): {misfit[0]}", misfit[1])

    def compare(self, box: Box, widths: Mapping[str, int]) -> None:
        """Refuses a width in the spec other than what arrives."""
        for name, size in widths.items():
            written = box.settings.get(name)
            if isinstance(written, int) and written != size and name in box.signature.settings:
                problem = f"'{box.name}' sets {name}: {written}, but its input has {size}"
                raise refusal((*box.path, name), problem, f"leave {name} out: the input gives it")

    def run(self, value: Value, box: Box, metas: Mapping[str, Any]) -> Any:
        """What a part gives for these meta tensors; None where one of them is unknown."""
        if any(meta is None for meta in metas.values()):
            return None  # after a pass over the data set: solvers whose work depends on the numbers
        part = self.built[box.name]
        if isinstance(box, TargetBox):
            self._arrived.setdefault(box.name, []).append(metas)
        arriving = tuple((port, meta.dtype, meta.shape) for port, meta in metas.items())
        key = type(part.module), part.module.training, repr(part.settings), arriving
        if key not in self._results:
            given = {port: list(meta.shape) for port, meta in metas.items() if port not in RESERVED_PORTS}
            shapes = ", ".join(f"{port}={shape}" for port, shape in given.items())
            what = f"'{box.name}' ({box.use}) can't take {shapes or 'this'}"
            self._results[key] = self._called(box, "", box.signature.inputs, metas, value.path, what)
            if misfit := _misfit(box, self._results[key]):
                raise refusal(value.path, f"'{box.name}' ({box.use}) gives {misfit[0]}", misfit[1])
        if isinstance(box, LossBox) and hasattr(part.module, "landmarks"):
            known: Any = part.module
            part.landmarks = {name: float(value) for name, value in known.landmarks(**metas).items()}
        return self._results[key]

    def takes(self, net: MetaPart, target: str) -> bool:
        """Whether a net can be run on all that its target is called with."""
        try:
            for metas in self._arrived.get(target, ()):
                real_run.called(net.module, "", metas)
        except Exception:  # whatever a part raises on tensors of these shapes
            return False
        return True

    def makes_rows(self, box: Box) -> bool:
        """Whether how many rows a part gives depends on numbers: an axis of its own, which holds no views."""
        first = next(iter(box.signature.outputs[0].axes or ()), "") if box.signature.outputs else ""
        known = {axis for port in box.signature.inputs.values() for axis in port.axes or ()}
        return self.built[box.name].needs_numbers and first.isidentifier() and first not in known

    def promised(self, box: Box, metas: Mapping[str, Any]) -> Any:
        """What a part gives for all rows of the data set; of a solver whose work depends on numbers, its annotation."""
        if any(meta is None for meta in metas.values()):
            return None
        try:
            return real_run.called(self.built[box.name].module, "", metas)
        except Exception:  # whatever it raises without numbers: with as few as are tried elsewhere it may not work
            part = self.built[box.name]
            sizes = {**vars(part.module), **part.settings, **bind(box.signature.inputs, metas)}
            return promised(part.module, box.signature.outputs, sizes)

    def write(self, write: Write, box: Box, metas: Mapping[str, Any]) -> None:
        """Runs a write, so that a queue that a batch does not divide is refused here."""
        self.refuse_misfit(write, box, metas)
        ports = box.signature.writes[write.method]
        self._called(box, write.method, ports, metas, write.path, f"{box.name}.{write.method}")

    def refuse_misfit(self, write: Write, box: Box, metas: Mapping[str, Any]) -> None:
        """Refuses what does not fit the ports of a write; before a state is built from it, that is why it can't be."""
        if misfit := clash(box.signature.writes.get(write.method, {}), metas):
            raise refusal(write.path, f"{box.name}.{write.method} ({box.use}): {misfit[0]}", misfit[1])

    def _made(self, box: Box, settings: dict[str, Any]) -> MetaPart:
        try:
            registry.load_class(box.use, self.plugins)  # first, so that tensors of the part's module are real ones
            with torch.device("meta"):
                return MetaPart(registry.build(box.use, settings, self.plugins), settings)
        except Exception as wrong:
            if not real_run.needs_numbers(wrong):
                raise
        real = real_run.built(box.use, settings, self.plugins)
        return MetaPart(real.to("meta"), settings, needs_numbers=True)

    def _called(
        self, box: Box, method: str, ports: Mapping[str, Port], metas: Mapping[str, Any], path: Path, what: str
    ) -> Any:
        part = self.built[box.name]
        try:
            return real_run.called(part.module, method, metas)
        except Exception as wrong:  # whatever a part raises on tensors of these shapes is reported at its node
            if not real_run.needs_numbers(wrong):
                raise self._refused(box, path, what, wrong) from wrong
        part.needs_numbers = True
        try:
            real = real_run.built(box.use, part.settings, self.plugins).train(part.module.training)
            return real_run.result(real, method, ports, metas)
        except Exception as wrong:
            cure = (
                "its shapes depend on numbers, so it was run on random ones (floats in [0, 1), whole numbers 0); "
                "let it accept them"
            )
            raise self._refused(box, path, what, wrong, cure) from wrong

    def _refused(self, box: Box, path: Path, what: str, wrong: Exception, cure: str = "") -> SpecError:
        if isinstance(wrong, SpecError):
            return SpecError([fault.under(path) for fault in wrong.faults])
        text = str(wrong).strip().split("\n")[0]
        if box.signature.family == "plugin" and (line := line_of(wrong, box.signature.file)):
            text = f"{text} ({box.signature.file}:{line})"
        if "expected device meta" in text:
            cure = "make its tensors where its inputs are (device=rows.device), or keep them with register_buffer"
        return refusal(path, f"{what}: {text}", cure)


def _misfit(box: Box, result: Any) -> tuple[str, str] | None:
    """What a call gives, in words, and the cure, where that is not what the part's signature says."""
    fields = tuple(port.name for port in box.signature.outputs if port.name)
    found = tuple(getattr(result, "_fields", ()))
    if isinstance(result, Tensor):
        form = str(list(result.shape))
        if isinstance(box, LossBox) and result.ndim:
            return form, "a loss is a single number: take its mean in the part, or by one of its settings"
        return (form, f"its annotation promises {', '.join(fields)}") if fields else None
    if found:
        promise = f"its annotation promises {', '.join(fields)}" if fields else "name their class as forward's return"
        return None if found == fields else (f"the fields {', '.join(found)}", promise)
    form = f"a tuple of {len(result)}" if isinstance(result, tuple) else f"a {type(result).__name__}"
    return form, "a part gives one tensor, or a NamedTuple of tensors"


def _left_out(box: Box) -> list[str]:
    """The settings that neither the spec nor the part's defaults give."""
    settings = box.signature.settings.values()
    return [setting.name for setting in settings if setting.default is None and box.settings.get(setting.name) is None]
