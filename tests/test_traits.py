"""Traits: what `@component(...)` says, read as text and by import alike, and refused where it can't be meant."""

from __future__ import annotations

import ast
from dataclasses import fields
from pathlib import Path

import pytest

from sslgraph.errors import SslgraphError
from sslgraph.parts import registry
from sslgraph.parts.module_text import Module
from sslgraph.parts.part_text import read_class
from sslgraph.parts.signature import Signature
from sslgraph.traits import Traits

PART = '''
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component

LOW = 0.1

@component(source="nowhere"{traits})
class Own(nn.Module):
    """What it means."""

    def __init__(self, *, temperature: float = 1.0) -> None: ...

    def forward(self, one: Float[Tensor, "batch dim"], other: Float[Tensor, "batch dim"]) -> Float[Tensor, ""]: ...
'''


def read(text: str) -> Signature:
    """The signature of the class in a file of this text."""
    module = Module("own", Path("own.py"), ast.parse(text))
    (node,) = module.classes
    return read_class("own:Own", module, node)


@pytest.mark.parametrize("use", registry.catalogue())
def test_traits_read_as_text_are_those_that_the_class_carries(use: str) -> None:
    assert registry.load_class(use).traits == registry.signature(use).traits


@pytest.mark.parametrize("trait", [trait.name for trait in fields(Traits)])
def test_every_trait_stands_on_a_shipped_part(trait: str) -> None:
    unsaid = getattr(Traits(source=""), trait)
    assert any(getattr(registry.signature(use).traits, trait) != unsaid for use in registry.catalogue())


@pytest.mark.parametrize(
    ("traits", "message"),
    [
        (
            ", spans_bach=True",
            "@component of Own sets the unknown trait 'spans_bach'\n  there are: affine_in, .*\n"
            "  did you mean 'spans_batch'\\?",
        ),
        (', repels="pixels"', "the trait 'repels' of Own takes Literal.*, and was given 'pixels'"),
        (", spans_batch=1", "the trait 'spans_batch' of Own takes bool, and was given 1"),
        (", sane={'temperature': (LOW, 1)}", "the trait 'sane' of Own is not a literal\n  write the value itself"),
        (", **{}", "@component of Own sets the unknown trait '\\*\\*'"),
        (
            ', agrees=("one", "othr")',
            "agrees of Own names the unknown port 'othr'\n  there are: one, other\n  did you mean 'other'\\?",
        ),
        (', sane={"temprature": (0.1, 1)}', ".* names the unknown setting 'temprature'\n.*\n.*'temperature'\\?"),
    ],
)
def test_a_trait_that_cannot_be_meant_is_refused_at_its_line(traits: str, message: str) -> None:
    with pytest.raises(SslgraphError, match=rf"own.py:\d+:\d+: {message}"):
        read(PART.replace("{traits}", traits))


def test_a_mark_without_a_source_is_refused() -> None:
    with pytest.raises(SslgraphError, match=r"own.py:9:2: @component of Own sets no source\n  say where"):
        read(PART.replace('source="nowhere"{traits}', ""))


def test_a_class_without_a_mark_has_no_traits() -> None:
    assert read(PART.replace('@component(source="nowhere"{traits})\n', "")).traits == Traits(source="")
