"""The writes of `after_step`: which tensors of a step they need, and how they are made after the step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn

from sslgraph import collectives
from sslgraph.errors import SslgraphError
from sslgraph.settle.sized import SizedLeg, SizedWrite
from sslgraph.wire.graph import Graph

Writes = dict[str, Tensor]


def written(leg: SizedLeg) -> list[str]:
    """The tensors of a leg that its writes need, by their names in the program."""
    return list(dict.fromkeys(piece.tensor for write in leg.writes for _, piece in write.inputs))


def checked(writes: Writes | Sequence[Writes], names: Sequence[str]) -> list[Writes]:
    """The writes of each micro-batch; raises SslgraphError if there are none or they do not hold just these names."""
    pieces = list(writes) if isinstance(writes, Sequence) else [writes]
    if not pieces or not all(isinstance(piece, Mapping) and piece.keys() == set(names) for piece in pieces):
        given = " and ".join(f"{{{', '.join(p)}}}" if isinstance(p, Mapping) else type(p).__name__ for p in pieces)
        raise SslgraphError(
            f"tick needs the writes that forward returned, {{{', '.join(names)}}}, or a list of them with one for each "
            f"micro-batch, and got {given or 'an empty list'}; write: losses, writes = model(batch)"
        )
    return pieces


def write_all(graph: Graph, parts: nn.ModuleDict, leg: SizedLeg, pieces: Sequence[Writes]) -> None:
    """Makes the writes of a leg in the order of the text, with the rows of all micro-batches as if of one batch."""
    for write in leg.writes:
        tensors = {port: _in_order([p[piece.tensor] for p in pieces], piece.views) for port, piece in write.inputs}
        _write(graph, parts[write.write.box], write, tensors)


def collected(
    program: Callable[[Mapping[str, Tensor]], Writes], leg: SizedLeg, batches: Iterable[Mapping[str, Tensor]]
) -> Writes:
    """What `then:` reads: the clock and, if the phase collects rows, those of all images, each at its index."""
    indices, rows, clock = [], [], torch.zeros(3, dtype=torch.int64)
    phase = leg.leg.phase
    assert phase is not None
    if phase.collect is None:
        return {"clock": next(iter(batches))["clock"]}
    (piece,) = leg.pieces[str(leg.leg.collect)]
    for batch in batches:
        rows.append(program(batch)[piece.tensor].float())
        indices.append(batch["draw"][:, 2])
        clock = batch.get("clock", clock)
    order = torch.cat(indices).argsort()
    return {phase.collect: torch.cat(rows)[order.to(rows[0].device)], "clock": clock}


def write_pass(
    graph: Graph, parts: nn.ModuleDict, leg: SizedLeg, program: Callable[[Writes], Writes], given: Writes
) -> None:
    """Makes what follows a pass over the data set: every rank holds the rows of all images, none is to be gathered.

    What the first rank has found is written on all of them.
    """
    with collectives.alone():
        found = program(given)
    found = {name: collectives.broadcast(value) for name, value in found.items()}
    with collectives.alone():
        write_all(graph, parts, leg, [found])


def _write(graph: Graph, part: nn.Module, sized: SizedWrite, tensors: dict[str, Tensor]) -> None:
    write = sized.write
    if write.method == "reset" and not hasattr(part, "reset"):
        for module in part.modules():
            if callable(reset := getattr(module, "reset_parameters", None)):
                reset()
        return
    ports = graph.boxes[write.box].signature.writes.get(write.method, {})
    for port, piece in sized.inputs:
        if ports[port].is_bag:
            tensors[port] = tensors[port].unflatten(0, (piece.views, -1))
    getattr(part, write.method)(**tensors)


def _in_order(pieces: list[Tensor], views: int) -> Tensor:
    """The micro-batches' rows as if they had been one batch: within each view, one after the other."""
    if len(pieces) == 1:
        return pieces[0]
    return torch.cat([p.unflatten(0, (views, -1)) for p in pieces], dim=1).flatten(0, 1)
