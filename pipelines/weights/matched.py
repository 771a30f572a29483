"""Finds a net's weights among the tensors of a file; refuses everything that does not fit at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

import torch
from torch import Tensor, nn

from sslgraph.amounts import counted
from sslgraph.errors import SslgraphError, some
from sslgraph.read.spec import Weights

from .layouts import COMPUTED, joined, plain, plain_name, separated
from .opening import Opened

SHOWN = 6
# Of two nets in a file that fit alike: the slow one of self-distillation, which is evaluated; the query side of MoCo.
FIRST = ("teacher", "encoder_q", "base_encoder", "online_encoder", "online_network")


@dataclass(frozen=True)
class Matched:
    """A net's weights by its own names, and in words how many were found where."""

    state: dict[str, Tensor]
    said: str


def matched(net: str, part: nn.Module, opened: Opened, wish: Weights, cure: str = "") -> Matched:
    """The weights of `part`, the net of this name, among these tensors.

    `part` may be on the meta device, and so may the tensors: names and shapes alone decide. What `except:` names is
    left as it is on both sides; `cure` says what to do about shapes.
    """
    own = part.state_dict()
    wanted = {plain_name(name): name for name in own if not COMPUTED.search(name)}
    found = _of_net(opened.tensors, wish.under)
    if not any(".attn.q." in name for name in wanted):
        found = separated(joined(found), wanted)
    prefix = _prefix(net, wanted, found, opened)
    inside = {name.removeprefix(prefix): tensor for name, tensor in found.items() if name.startswith(prefix)}
    left = [name for name in wanted if _is_left(wish, name, wanted[name])]
    fits = {
        name: _shaped(name, inside[name], own[wanted[name]].shape)
        for name in wanted
        if name in inside and name not in left
    }
    missing = [name for name in wanted if name not in inside and name not in left]
    strange = [name for name in inside if name not in wanted and not _is_left(wish, name)]
    shapes = [
        f"{wanted[name]} is {list(inside[name].shape)} there and {list(own[wanted[name]].shape)} in '{net}'"
        for name, tensor in fits.items()
        if tensor is None
    ]
    problems = {
        f"{counted(len(missing), 'weight')} of '{net}' not found: ": [wanted[name] for name in missing],
        f"{counted(len(strange), 'tensor')} without a place: ": strange,
        "": shapes[:2],
    }
    said = "; ".join(f"{what}{some(names, SHOWN)}" for what, names in problems.items() if names)
    under = f"under {prefix.rstrip('.')}" if prefix else ""
    if said:
        cure = cure if shapes else _exception(opened.place, [*missing, *strange], {*wanted, *inside})
        raise SslgraphError(
            f"the weights in {opened.place}{under and f' {under}'} are not those of '{net}': {said}\n  {cure}"
        )
    taken = {wanted[name]: tensor for name, tensor in fits.items() if tensor is not None}
    rest = f"; anew: {some(left, SHOWN)}" if left else ""
    where = f"{opened.place}{under and f', {under}'}"
    return Matched(taken, f"{len(taken)} of {len(wanted)} weights of {net} from {where}{rest}")


def _of_net(tensors: Mapping[str, Tensor], under: str | None) -> dict[str, Tensor]:
    start = f"{under}." if under else ""
    found = {name.removeprefix(start): tensor for name, tensor in tensors.items() if name.startswith(start)}
    if under and not found:
        heads = dict.fromkeys(name.partition(".")[0] for name in tensors)
        raise SslgraphError(f"under: no name begins with {under}.; the first words are: {some(list(heads), SHOWN)}")
    return plain(found)


def _prefix(net: str, wanted: Iterable[str], found: Iterable[str], opened: Opened) -> str:
    """How the names of this net begin in the file: the beginning that most of its weights have."""
    names, counts = set(wanted), Counter[str]()
    for name in found:
        pieces = name.split(".")
        for i in range(len(pieces)):
            if ".".join(pieces[i:]) in names:
                counts["".join(f"{piece}." for piece in pieces[:i])] += 1
    if not counts:
        raise SslgraphError(
            f"nothing in {opened.place} is named like a weight of '{net}'; it holds {some(list(found), SHOWN)}, and "
            f"'{net}' has {some(sorted(names), SHOWN)}"
        )
    most = max(counts.values())
    best = [prefix for prefix in counts if counts[prefix] == most]
    asked = [opened.exported, f"parts.{net}.", *(p for word in FIRST for p in best if word in p.split("."))]
    chosen = next((prefix for prefix in asked if prefix in best), None)
    if chosen is None and len(best) > 1:
        there = ", ".join(prefix.rstrip(".") or "(no beginning)" for prefix in best)
        raise SslgraphError(
            f"{opened.place} holds {len(best)} nets that fit '{net}' alike: {there}; "
            f"name one: weights: {{from: {opened.place}, under: {best[0].rstrip('.')}}}"
        )
    return best[0] if chosen is None else chosen


def _shaped(name: str, tensor: Tensor, shape: torch.Size) -> Tensor | None:
    """The tensor in this shape; None if it has other numbers.

    Axes of 1 may come and go. A table of positions without a row for the class token, which then has none, gets zeros.
    """
    if tensor.shape == shape:
        return tensor
    if [n for n in tensor.shape if n > 1] == [n for n in shape if n > 1]:
        return tensor.reshape(shape)
    is_table = name.endswith("pos_embed") and tensor.ndim == len(shape) == 3
    if is_table and tensor.shape[1] + 1 == shape[1] and tensor.shape[2] == shape[2]:
        return torch.cat([torch.zeros_like(tensor[:, :1]), tensor], 1)
    return None


def _is_left(wish: Weights, *names: str) -> bool:
    return any(fnmatchcase(name, pattern) or name.startswith(f"{pattern}.") for name in names for pattern in wish.leave)


def _exception(place: str, names: list[str], all_: set[str]) -> str:
    """How these names are left as they are; a module of which all weights are among them is named by its first word."""
    whole = {word for word in (name.partition(".")[0] for name in names) if not _below(word, all_) - set(names)}
    stems = dict.fromkeys(word if (word := name.partition(".")[0]) in whole else name for name in names)
    return f"name what may stay as it is: weights: {{from: {place}, except: [{some(list(stems), SHOWN)}]}}"


def _below(word: str, names: set[str]) -> set[str]:
    return {name for name in names if name.partition(".")[0] == word}
