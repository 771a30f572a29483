"""Changes a method's structure in its resolved text: leaves a part out, swaps it, or lets its gradient through.

A part that is left out is left out of the calls, too: `q(g(f(x)))` becomes `g(f(x))`. What nothing reads after a change
goes with it. The check says of each text that results whether it is a method.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from sslgraph.errors import SslgraphError, unknown
from sslgraph.parts import kinds, registry
from sslgraph.parts.signature import Signature
from sslgraph.read.spec import Loss, Part
from sslgraph.wire.expressions import Call, Expression, Field, Member, Name, parse

CHANGES = ("remove", "swap", "stopgrad", "set")
STOP = "stopgrad"
KEPT = {"losses": {*Loss.model_fields}, "nets": {*Part.model_fields}, "ops": {*Part.model_fields}}
SECTIONS = ("views", "nets", "targets", "state", "ops", "losses")
Change = Mapping[str, Any]
Text = dict[str, Any]


def shape_fault(change: Mapping[str, Any]) -> str:
    """What is wrong with the form of one change, in words; "" if nothing is."""
    if strange := [key for key in change if key not in CHANGES]:
        return f"there is no change '{strange[0]}'"
    gone = change.get("remove", [])
    if not (isinstance(gone, str) or (isinstance(gone, list) and all(isinstance(one, str) for one in gone))):
        return "remove: takes a path such as nets.q, or a list of paths"
    for word, example in (("swap", "{losses.info: FAMILY.PART}"), ("set", "{nets.g.out: 64}")):
        if word in change and (not isinstance(change[word], dict) or not change[word]):
            return f"{word}: takes a mapping such as {example}"
    if change.get(STOP, "off") != "off":
        return "stopgrad: takes off"
    return "" if change else "a change is empty"


def said(change: Change) -> str:
    """A change in a few words."""
    gone = change.get("remove", [])
    found = [f"without {path}" for path in ([gone] if isinstance(gone, str) else gone)]
    found += [f"{path} is {_name(part)}" for path, part in change.get("swap", {}).items()]
    found += ["without stopgrad"] if STOP in change else []
    return "; ".join([*found, *(f"{path} = {value}" for path, value in change.get("set", {}).items())])


def _name(part: Any) -> str:
    if not isinstance(part, dict):
        return str(part)
    more = ", ".join(f"{key}: {value}" for key, value in part.items() if key != "use")
    return f"{part.get('use', 'itself')}{f' ({more})' if more else ''}"


def changed(method: Text, change: Change, plugins: tuple[str, ...] = ()) -> Text:
    """The text of a method with one change made; `set:` is for the reader of texts."""
    method = copy.deepcopy(method)
    gone = change.get("remove", [])
    for path in [gone] if isinstance(gone, str) else gone:
        for section, name in _nodes(method, path, "remove"):
            _remove(method, section, name)
    for path, part in change.get("swap", {}).items():
        for section, name in _nodes(method, path, "swap"):
            method[section][name] = _swapped(method[section][name], section, part, plugins)
    if STOP in change:
        before = copy.deepcopy(method)
        _rewrite(method, lambda found: _only(found, STOP) if _calls(found, STOP) else found)
        if method == before:
            raise SslgraphError("stopgrad: off changes nothing: no line of the flow stops a gradient")
    _prune(method)
    method.pop("picture", None)  # a changed method draws itself, as one that extends another does
    return method


def _nodes(method: Text, path: str, word: str) -> list[tuple[str, str]]:
    """The sections and names that a path such as nets.q or losses.* means; SslgraphError for none."""
    section, _, name = path.partition(".")
    if section not in SECTIONS or not name:
        raise SslgraphError(str(unknown((), f"{word}: write SECTION.NAME; there is no section", section, SECTIONS)))
    there = {**method.get(section, {}), **(_losses(method) if section == "losses" else {})}
    found = [one for one in there if fnmatchcase(one, name)]
    if not found:
        raise SslgraphError(str(unknown((), f"{word}: {section} has no", name, there)))
    return [(section, one) for one in found]


def _losses(method: Text) -> Text:
    """The losses of a method; in one with phases they are there."""
    return method.get("losses", {}) or {
        name: loss for phase in method.get("phases", []) for name, loss in phase.get("losses", {}).items()
    }


def _remove(method: Text, section: str, name: str) -> None:
    if section == "nets":
        for target in [target for target, text in method.get("targets", {}).items() if _follows(text) == name]:
            _leave_out(method, target)
            for snapshot in [other for other, text in method["targets"].items() if _follows(text) == target]:
                _leave_out(method, snapshot)
                del method["targets"][snapshot]
            del method["targets"][target]
    if section in ("nets", "ops"):
        _leave_out(method, name)
    if section == "targets":
        net = _follows(method["targets"][name])
        for other in [other for other, text in method["targets"].items() if _follows(text) == name]:
            raise SslgraphError(f"targets.{other} is a snapshot of '{name}': remove it, too")
        _rewrite(method, lambda found: _of_net(found, net) if _calls(found, name) else found)
    holders = [method, *method.get("phases", [])] if section == "losses" else [method]
    for holder in holders:
        holder.get(section, {}).pop(name, None)


def _follows(target: Mapping[str, Any]) -> str:
    return str(target.get("ema_of") or target.get("snapshot_of"))


def _leave_out(method: Text, name: str) -> None:
    _rewrite(method, lambda found: _only(found, name) if _calls(found, name) else found)


def _calls(found: Expression, name: str) -> bool:
    return isinstance(found, Call) and found.function == Name(name)


def _only(found: Expression, name: str) -> Expression:
    assert isinstance(found, Call)
    if len(found.arguments) != 1:
        raise SslgraphError(f"'{found}' takes several values, so none of them stands for it where '{name}' is left out")
    return found.arguments[0]


def _of_net(found: Expression, net: str) -> Expression:
    """The net itself in a target's place, whose gradient stops there as the target's did."""
    assert isinstance(found, Call)
    return Call(Name(STOP), (Call(Name(net), found.arguments, found.named),))


def _swapped(old: Text, section: str, part: Any, plugins: tuple[str, ...]) -> Text:
    """The node with another part in it, which takes over the inputs and those settings that suit it, too."""
    new = dict(part) if isinstance(part, dict) else {"use": str(part)}
    new.setdefault("use", old.get("use", ""))
    found = registry.signature(str(new["use"]), plugins)
    known = {*found.ports, *(KEPT.get(section, set()) - {"use", "weights"})}
    return {**{key: value for key, value in old.items() if key in known or _suits(found, key, value)}, **new}


def _suits(part: Signature, setting: str, value: Any) -> bool:
    """Whether a part may have this setting with this value, which may be a reference such as $ops.kmeans.k."""
    is_reference = isinstance(value, str) and value.startswith("$")
    return setting in part.settings and (is_reference or not kinds.problem(part.settings[setting].annotation, value))


def _rewrite(method: Text, change: Callable[[Expression], Expression]) -> None:
    """Every expression of a method, changed from the inside out; what does not change keeps its letters."""

    def text(written: Any) -> Any:
        if not isinstance(written, str):
            return written
        before = parse(written)
        after = _within(before, change)
        return written if after == before else str(after)

    for leg in (method, *method.get("phases", [])):
        for name, line in leg.get("flow", {}).items():
            leg["flow"][name] = text(line)
        for key in ("after_step", "then"):
            if key in leg:
                leg[key] = [text(line) for line in leg[key]]
        for loss in leg.get("losses", {}).values():
            if "of" in loss:
                loss["of"] = [text(line) for line in loss["of"]]
        for key in ("collect", "export"):
            if key in leg:
                leg[key] = text(leg[key])


def _within(found: Expression, change: Callable[[Expression], Expression]) -> Expression:
    match found:
        case Field(of=of, name=name):
            return change(Field(_within(of, change), name))
        case Member(of=of, index=index):
            return change(Member(_within(of, change), index))
        case Call(function=function, arguments=arguments, named=named):
            inner = tuple(_within(one, change) for one in arguments)
            return change(Call(function, inner, tuple((port, _within(one, change)) for port, one in named)))
    return change(found)


def _prune(method: Text) -> None:
    """Takes out the lines, parts and views that nothing reads, until each is read."""
    while True:
        read = _read(method)
        lines = [(leg, name) for leg in _legs(method) for name in leg.get("flow", {}) if name not in read]
        nodes = [
            (section, name)
            for section in ("views", "nets", "targets", "state", "ops")
            for name in method.get(section, {})
            if name not in read
        ]
        if not lines and not nodes:
            return
        if lines:
            for leg, name in lines:
                del leg["flow"][name]
            continue  # what they read may be read no more
        for section, name in nodes:
            del method[section][name]
            for leg in _legs(method):  # writes into what is gone
                for key in ("after_step", "then"):
                    if key in leg:
                        leg[key] = [line for line in leg[key] if not re.match(rf"{re.escape(name)}\.", line)]


def _legs(method: Text) -> list[Text]:
    return [method, *method.get("phases", [])]


def _read(method: Text) -> set[str]:
    """All names that something reads; a write into a state does not read it, but reads what is written."""
    found = set[str]()
    for leg in _legs(method):
        texts = [*leg.get("flow", {}).values(), *_words(leg.get("losses", {})), *_words(leg.get("sample", {}))]
        texts += [leg[key] for key in ("collect", "export") if key in leg]
        texts += [line.partition("(")[2] or line for key in ("after_step", "then") for line in leg.get(key, [])]
        for text in texts:
            found |= set(re.findall(r"[A-Za-z_]\w*", text))
    for section in ("views", "targets", "ops", "state"):
        for node in method.get(section, {}).values():
            for text in _words(node):
                found |= set(re.findall(r"[A-Za-z_]\w*", text))
    return found


def _words(value: Any) -> Iterator[str]:
    """All texts in a value, at any depth, but the names of parts and augmentations."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if key not in ("use", "augment"):
                yield from _words(inner)
    elif isinstance(value, Sequence):
        for inner in value:
            yield from _words(inner)
