"""The formula in a loss's docstring as mathematics: sums, indices, powers and Greek letters, in runs of text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from .measure import GREEK, Run, filled, runs_width

WORDS = {"temperature": "τ", "redundancy": "λ", "loss": "L", **GREEK}
SIGNS = {"!=": "≠", "<=": "≤", ">=": "≥", "->": "→", "*": "·", "-": "−", "integral": "∫", "sqrt": "√"}
UPRIGHT = ("exp", "log", "max", "min", "cos", "sigmoid", "softmax", "argmax", "var", "mean")
MOST = 6  # letters of a name that stands in italics; longer ones are words
_TOKEN = re.compile(
    r"(?P<sum>sum)(?:_(?P<over>\{[^}]*\}|\w+))?"
    r"|(?P<name>[A-Za-z]+(?:_[A-Za-z]+)*)(?P<index>\[[^\[\]]*\])?(?P<power>\^(?:\w+|\{[^}]*\}))?"
    r"|(?P<raised>\^(?:\w+|\{[^}]*\}))|(?P<at>\[[^\[\]]*\])|(?P<sign>!=|<=|>=|->|[*-])|(?P<dot>(?<=\w)\.(?=[A-Za-z]))"
    r"|(?P<gap>\s+)|(?P<rest>.)"
)
POWERS = {"2": "²", "3": "³", "T": "⊤"}


def formula_of(doc: str) -> str:
    """What a docstring sets in by four letters before its settings, a line for each equation; "" if there is none."""
    found: list[str] = []
    for line in doc.partition("Settings:\n")[0].split("\n"):
        if line.startswith(" " * 8) and found:
            found[-1] += f"  {line.strip()}"
        elif line.startswith(" " * 4):
            found += re.split(r"[,;]\s{3,}", line.strip())
    return "\n".join(found)


def typeset(formula: str) -> tuple[Run, ...]:
    """One equation as runs of text."""
    prose = re.match(r"(loss = )?(mean .*? of)(?=  )", formula)  # what is averaged stands upright, as it is
    said = [*typeset(prose[1] or ""), Run(prose[2])] if prose else []
    rest = formula[prose.end() :] if prose else formula
    return tuple(_joined([*said, *(run for token in _TOKEN.finditer(rest) for run in _runs(token))]))


def typeset_lines(formula: str, wide: float, size: float) -> list[tuple[Run, ...]]:
    """An equation in lines of about this width; a line breaks before a sign, where the formula has a blank."""
    pieces = (f"{piece} " for piece in re.split(r" (?=[+=/-] )|(?<= of)  ?| (?=sum)", formula))
    found = filled(pieces, lambda line: runs_width(typeset(line.strip()), size) <= wide)
    return [typeset(line.strip()) for line in found]


def _runs(token: re.Match[str]) -> Iterator[Run]:
    if token["sum"]:
        yield Run("Σ")
        if token["over"]:
            yield Run(_plain(token["over"].strip("{}")), is_sub=True)
    elif token["name"]:
        yield from _name(token["name"], token["index"], token["power"])
    elif token["raised"]:
        yield Run(_power(token["raised"]))
    elif token["at"]:
        yield Run(_plain(token["at"].strip("[]")), is_sub=True)
    elif token["sign"]:
        yield Run(SIGNS[token["sign"]])
    elif token["dot"]:
        yield Run("·")
    else:
        yield Run(" " if token["gap"] else token["rest"])


def _name(name: str, index: str | None, power: str | None) -> Iterator[Run]:
    base, _, below = name.rpartition("_") if name.endswith("temperature") else name.partition("_")
    if name.endswith("temperature"):  # teacher_temperature is τ with teacher
        base, below = "temperature", base
    is_word = base in UPRIGHT or (len(base) > MOST and base not in WORDS)
    yield Run(SIGNS.get(base) or WORDS.get(base, base), is_italic=not is_word and base not in ("of", "the", "over"))
    indices = ", ".join(filter(None, (below.replace("_", " "), _plain((index or "").strip("[]")))))
    if indices:
        yield Run(indices, is_sub=True)
    if power:
        yield Run(_power(power))


def _power(text: str) -> str:
    inner = text[1:].strip("{}")
    return POWERS.get(inner, f"^{inner}")


def _plain(text: str) -> str:
    for sign, shown in SIGNS.items():
        text = text.replace(f" {sign} ", f" {shown} ")
    return text


def _joined(runs: Iterable[Run]) -> list[Run]:
    """Neighbours in one style as one run."""
    found: list[Run] = []
    for run in runs:
        last = found[-1] if found else None
        if last and (last.is_italic, last.is_sub) == (run.is_italic, run.is_sub):
            found[-1] = Run(last.text + run.text, False, run.is_italic, run.is_sub)
        else:
            found.append(run)
    return found
