"""The gradient map of every shipped method, held against autograd on small images."""

from __future__ import annotations

import pytest
from small_methods import IMAGES, ROWS, images_of, small, write_tables
from toys import assert_map_is_true, random_batch

from sslgraph.compile.compile import CompiledMethod
from sslgraph.read import catalogue
from sslgraph.settle.settle import settle
from sslgraph.wire.wire import wire


@pytest.mark.slow
@pytest.mark.parametrize("name", catalogue.names("methods"))
def test_autograd_agrees_with_the_map_of_a_shipped_method(name: str) -> None:
    loaded = small(name)
    images = images_of(name, loaded.spec)
    sized = settle(wire(loaded.spec, loaded.place), images, batch=ROWS, dataset=IMAGES)
    method = CompiledMethod(sized)
    write_tables(method.parts, loaded.spec)
    assert_map_is_true(method, random_batch(sized, images, rows=ROWS))
