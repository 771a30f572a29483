"""A part's signature from text: inherited methods, named shapes, fields from elsewhere; nothing is imported."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from sslgraph.errors import SslgraphError
from sslgraph.parts import registry
from sslgraph.parts.signature import REQUIRED, Port, Signature

SHAPES = """
from typing import NamedTuple, Optional
from jaxtyping import Bool, Float
from torch import Tensor

Features = Float[Tensor, "batch dim"]
Rows = Features

class Seen(NamedTuple):
    pooled: Features
    mask: Bool[Tensor, "batch"]
"""
PARTS = '''
import torch
from torch import nn
from torch.nn import SmoothL1Loss as Smooth
from jaxtyping import Float
from torch import Tensor
from sslgraph.component import component, writes

from own_shapes import Features, Rows, Seen
import own_shapes as shapes

@component(source="a paper", detached=("other",))
class Distance(nn.Module):
    """Of two."""
    def __init__(self, *, scale: float = 1.0) -> None: ...
    def forward(self, one: Features, other: "Rows | None" = None) -> Float[Tensor, ""]: ...
    @writes
    def push(self, rows: Rows) -> None: ...
    def reset(self) -> None: ...

class Inherits(Distance):
    """Of two, again."""

class Described(Distance):
    """Of two.

    Settings:
        low, high: the ends,
            in pixels.
        scale: of the result.
        gone: no setting of what is derived from it.
    """
    def __init__(self, *, low: int, high: int, scale: float = 1.0) -> None: ...

class Further(Described):
    """Further.

    Settings:
        scale: its own words.
    """

class Bare(Described):
    """Bare."""

class Wider(Distance):
    def __init__(self, *, margin: float, **kwargs: object) -> None: ...

class Mine(Smooth): ...

class Looks(nn.Module):
    def forward(self, image: shapes.Features, other: shapes.Optional[Features] = None) -> Seen: ...

class Switched(nn.Module):
    def forward(self, x: Tensor, mask: Tensor | None = None, fast: bool = True, side: int | None = None): ...

class Needs(nn.Module):
    def forward(self, x: Tensor, side: int): ...

class Called(nn.Module):
    def __call__(self, output, target): ...

class Metric(nn.Module):
    def forward(self, *args, **kwargs) -> Tensor: ...

class Error(Metric):
    def __init__(self, squared: bool = True, **kwargs): ...
    def update(self, preds: Tensor, target: Tensor) -> None: ...

class Strange(make_base()):
    def __init__(self): ...

class Whole(make_base()):
    def __init__(self, *, size: int) -> None: ...
    def forward(self, x: Features) -> Features: ...

class Round(Again): ...
class Again(Round): ...
'''


@pytest.fixture(autouse=True)
def _own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_shapes.py").write_text(SHAPES)
    (tmp_path / "own_texts.py").write_text(PARTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    registry._signature.cache_clear()


def read(name: str) -> Signature:
    """What the text says of a class of own_texts.py."""
    found = registry.signature(f"own_texts:{name}", ("own_texts",), imports=False)
    assert "own_texts" not in sys.modules and "own_shapes" not in sys.modules
    return found


def said(ports: dict[str, Port]) -> dict[str, str]:
    return {name: f"{port}{'?' if port.optional else ''}" for name, port in ports.items()}


@pytest.mark.parametrize("name", ["Distance", "Inherits"])
def test_a_class_has_the_ports_writes_and_traits_of_the_class_that_it_is_derived_from(name: str) -> None:
    found = read(name)
    assert said(found.inputs) == {"one": "Float[batch dim]", "other": "Float[batch dim]?"}
    assert [str(port) for port in found.outputs] == ["Float[]"] and list(found.settings) == ["scale"]
    assert found.traits.detached == ("other",) and not found.unread
    assert said(found.writes["push"]) == {"rows": "Float[batch dim]"}
    assert found.doc == ("Of two." if name == "Distance" else "Of two, again.")


def test_what_a_constructor_takes_for_the_one_behind_it_are_settings_too() -> None:
    assert {s.name: s.default for s in read("Wider").settings.values()} == {"margin": REQUIRED, "scale": 1.0}


def test_settings_are_described_by_the_class_or_by_one_behind_it() -> None:
    ends = "    low, high: the ends,\n        in pixels."
    assert read("Further").doc == f"Further.\n\nSettings:\n    scale: its own words.\n{ends}"
    assert read("Bare").doc == f"Bare.\n\nSettings:\n{ends}\n    scale: of the result."


def test_every_setting_of_a_shipped_part_is_described() -> None:
    for name in registry.catalogue():
        found = registry.signature(name)
        said = re.findall(r"(?m)^    (\w+(?:, \w+)*): \S", found.doc.partition("\nSettings:\n")[2])
        assert set(found.settings) <= {word for words in said for word in words.split(", ")}, name


def test_a_class_may_be_derived_from_one_of_torch() -> None:
    found = read("Mine")
    assert said(found.inputs) == {"input": "Tensor", "target": "Tensor"} and "beta" in found.settings
    assert not found.unread


def test_a_shape_may_have_a_name_of_another_file() -> None:
    found = read("Looks")
    assert said(found.inputs) == {"image": "Float[batch dim]", "other": "Float[batch dim]?"}
    assert [f"{port.name}: {port}" for port in found.outputs] == ["pooled: Float[batch dim]", "mask: Bool[batch]"]


def test_switches_with_a_default_are_no_ports() -> None:
    assert said(read("Switched").inputs) == {"x": "Tensor", "mask": "Tensor?"}


def test_an_input_that_is_no_tensor_is_refused() -> None:
    with pytest.raises(SslgraphError, match=r"Needs\.forward needs 'side', which is int and not a tensor"):
        read("Needs")


def test_a_class_may_be_called_without_forward() -> None:
    assert list(read("Called").inputs) == ["output", "target"]


def test_what_forward_passes_on_to_update_are_ports() -> None:
    found = read("Error")
    assert said(found.inputs) == {"preds": "Tensor", "target": "Tensor"} and str(found.outputs[0]) == "Tensor"


def test_a_base_that_code_makes_leaves_the_ports_open() -> None:
    found = read("Strange")
    assert found.unread == "Strange is derived from make_base(), which has no text that can be read"
    assert not read("Whole").unread


def test_classes_that_are_derived_from_each_other_end() -> None:
    assert read("Round").inputs == {}


def test_a_name_without_a_class_leaves_everything_open() -> None:
    assert read("Missing").unread == "the text of own_texts says no class Missing"
