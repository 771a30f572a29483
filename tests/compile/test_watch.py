"""What is watched: the tensors of a training step that was asked for, and of no other forward pass."""

from __future__ import annotations

import torch
from test_compile import SIAMESE, both
from toys import CLOCK, compiled


def test_a_validation_loss_does_not_answer_for_the_step_that_is_watched() -> None:
    method = compiled(**SIAMESE)
    method.watch.ask()
    method.begin(0, CLOCK)
    with torch.no_grad():
        method(both(5, 5))
    assert method.watch.seen == {}
    plain = method.eval()(both(1, 2)).losses["l"]
    assert method.watch.seen == {}
    watched = method.train()(both(1, 2)).losses["l"]
    assert torch.equal(watched, plain) and watched.requires_grad
    (edge,) = (edge for edge in method.watch.edges if edge.net == "g")
    assert edge.name == "g.x1" and method.watch.seen[edge.tensor].unique().tolist() == [3]
    assert edge.other is not None and method.watch.seen[edge.other].unique().tolist() == [6]
    method.watch.seen = {}
    method(both(1, 2))
    assert method.watch.seen == {}  # asked for once
