"""What the text of a part leaves open is read from its class, and the two are compared."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from jaxtyping import Float, Int64
from torch import Tensor, nn
from toys import EYE, PLUGINS, X, dense, method

from sslgraph.component import component, writes
from sslgraph.errors import SpecError, SslgraphError
from sslgraph.parts import part_class, registry
from sslgraph.parts.part_text import unreadable
from sslgraph.parts.signature import REQUIRED, Signature
from sslgraph.settle.settle import settle
from sslgraph.wire.wire import wire

Features = Float[Tensor, "batch dim"]


class Seen(NamedTuple):
    pooled: Features
    index: Int64[Tensor, "batch"]


@component(source="nowhere", detached=("other",))
class Own(nn.Module):
    """What it means."""

    def __init__(self, scale: float, *, kind: str = "a", **more: object) -> None: ...

    def forward(self, one: Features, other: Features | None = None, fast: bool = True) -> Seen: ...

    @writes
    def push(self, rows: Features) -> None: ...


class Derived(Own): ...


class Error(nn.Module):
    def forward(self, *args: Tensor, **kwargs: Tensor) -> Tensor: ...

    def update(self, preds: Tensor, target: Tensor) -> None: ...


def seen(part: type) -> Signature:
    return part_class.completed(unreadable("own:Part", "own", "Part", ""), part)


@pytest.mark.parametrize("part", [Own, Derived])
def test_a_signature_is_that_of_the_class_with_all_it_inherits(part: type) -> None:
    found = seen(part)
    assert {s.name: (s.annotation, s.default) for s in found.settings.values()} == {
        "scale": ("float", REQUIRED),
        "kind": ("str", "a"),
    }
    assert {name: (str(port), port.optional) for name, port in found.inputs.items()} == {
        "one": ("Float[batch dim]", False),
        "other": ("Float[batch dim]", True),
    }
    assert [(port.name, str(port)) for port in found.outputs] == [
        ("pooled", "Float[batch dim]"),
        ("index", "Int64[batch]"),
    ]
    assert list(found.writes) == ["push"] and found.traits.detached == ("other",) and not found.unread


@pytest.mark.parametrize("part", [nn.SmoothL1Loss, nn.MSELoss, nn.CrossEntropyLoss, nn.Linear, nn.BatchNorm1d])
def test_text_and_class_of_torchs_modules_agree(part: type) -> None:
    text = registry.signature(f"torch.nn:{part.__name__}", ("torch",), imports=False)
    part_class.refuse_difference(text, part)
    found = seen(part)
    assert list(found.inputs) == list(text.inputs) and list(found.settings) == list(text.settings)
    assert [port.optional for port in found.inputs.values()] == [port.optional for port in text.inputs.values()]


def test_inputs_that_forward_passes_on_are_those_of_update() -> None:
    assert list(seen(Error).inputs) == ["preds", "target"] and seen(Error).outputs[0].text == "torch.Tensor"


def test_a_class_without_forward_gives_nothing() -> None:
    assert (seen(nn.Module).inputs, seen(nn.Module).outputs) == ({}, ())


MADE = """
import torch
from torch import nn

CENTRE = torch.ones(2)

def base():
    class Base(nn.Module):
        def forward(self, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
            return (one - other - CENTRE).square().mean()
    return Base

class Made(base()):
    def __init__(self, *, scale: float = 1.0) -> None:
        super().__init__()

def changed(part):
    part.forward = lambda self, first, second: (first - second).mean()
    return part

@changed
class Changed(nn.Module):
    def forward(self, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor: ...

class NoForward(nn.Module): ...

class Plain(nn.Module):
    def forward(self, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return (one - other - CENTRE).square().mean()
"""


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    (tmp_path / "made_parts.py").write_text(MADE)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "made_parts"
    sys.modules.pop("made_parts", None)
    for cached in (registry._signature, registry._imported):
        cached.cache_clear()


def loss(use: str, of: tuple[str, ...] = ("z", "z")) -> dict[str, object]:
    return {
        "views": X,
        "nets": {"e": EYE, "f": dense()},
        "flow": {"z": "f(e(x).pooled)"},
        "losses": {"l": {"use": use, "of": list(of)}},
    }


def test_ports_that_only_code_knows_are_read_by_importing_the_plugin(made: str) -> None:
    graph = wire(method(**loss("made_parts:Made")), plugins=(*PLUGINS, made))
    assert dict(graph.training.losses[0].inputs) == {"one": "z", "other": "z"}
    assert list(graph.boxes["l"].signature.settings) == ["scale"]


def test_without_an_import_such_ports_are_said_to_be_unknown(made: str) -> None:
    with pytest.raises(
        SpecError, match="the ports of made_parts:Made are not known: Made is derived from base"
    ) as told:
        wire(method(**loss("made_parts:Made")), plugins=(*PLUGINS, made), imports=False)
    (fault,) = told.value.faults
    assert fault.at == ("losses", "l", "use")
    assert fault.cure == "its ports are read once torch may be imported: check it without --fast"


def test_a_class_that_code_changed_is_refused(made: str) -> None:
    with pytest.raises(SslgraphError, match=r"takes \(first, second\) once it is imported, but its text says \(one, o"):
        registry.build("made_parts:Changed", {}, (made,))


def test_a_part_without_forward_is_refused(made: str) -> None:
    with pytest.raises(SpecError, match=r"^losses.l.use: made_parts:NoForward has no forward, so nothing can be given"):
        wire(method(**loss("made_parts:NoForward")), plugins=(*PLUGINS, made))


def test_a_module_is_imported_outside_the_meta_device(made: str) -> None:
    allowed = (*PLUGINS, made)
    with pytest.raises(SpecError, match=r"device.*\n  make its tensors where its inputs are"):
        settle(wire(method(**loss("made_parts:Plain")), plugins=allowed), {"x": (3, 2, 2)}, plugins=allowed)
    assert sys.modules[made].CENTRE.device.type == "cpu"
