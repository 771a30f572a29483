"""A scene as TikZ: a picture that LaTeX sets in its own letters, and that an author may edit line by line."""

from __future__ import annotations

import re
from itertools import pairwise

from sslgraph.escaping import FOR_LATEX

from ..elements.forms import Circle, Command, Group, Path, Shape, Words, points_of, short
from ..elements.measure import Run
from ..paint.scene import Scene

FACE = r"\sffamily"  # the paper's own letters; Helvetica (helvet) is as wide as what was measured, others are narrower
_MATHS = {
    "→": r"\rightarrow", "←": r"\leftarrow", "×": r"\times", "·": r"\cdot", "−": "-", "′": "'", "²": "^2", "³": "^3",
    "≤": r"\le", "≥": r"\ge", "≠": r"\ne", "Σ": r"\sum", "∇": r"\nabla", "∥": r"\|", "⋅": r"\cdot", "∈": r"\in",
    "ℓ": r"\ell", "√": r"\surd", "∫": r"\int", "⊤": r"^\top", "∞": r"\infty", "″": "''", "‴": "'''",
    "θ": r"\theta", "ξ": r"\xi", "φ": r"\varphi", "ψ": r"\psi", "τ": r"\tau", "α": r"\alpha", "β": r"\beta",
    "ε": r"\varepsilon", "γ": r"\gamma", "λ": r"\lambda", "σ": r"\sigma", "μ": r"\mu", "π": r"\pi", "δ": r"\delta",
}  # fmt: skip
_TEXTS = {"\u2009": r"\,", "\u00a0": "~", "–": "--", "—": "---", "…": r"\dots{}", "’": "'"}


def as_tikz(drawn: Scene) -> str:
    """A scene as a `tikzpicture`, to be read by `\\input`."""
    work = _Writer(drawn)
    for shape in drawn.shapes:
        work.shape(shape, 0)
    unit, end = f"{drawn.point:.4g}", _spot((drawn.width, drawn.height))
    ground = []
    if not drawn.is_transparent and drawn.theme.name == "dark":
        ground = [rf"  \fill[{work.colour(drawn.theme.ground)}] (0,0) rectangle {end};"]
    colours = [rf"  \definecolor{{sg{name}}}{{HTML}}{{{name}}}" for name in sorted(work.colours)]
    lines = [
        f"% {_comment(drawn.title)}, drawn by sslgraph. In the preamble: \\usepackage{{tikz}}; here: \\input{{FILE}}.",
        "% Every box is a scope, and a coordinate in its middle has its name, for arrows of your own.",
        rf"\begin{{tikzpicture}}[x={unit}pt, y=-{unit}pt, every node/.style={{inner sep=0pt, outer sep=0pt}}]",
        *colours,
        rf"  \useasboundingbox (0,0) rectangle {end};",
        *ground,
        *work.lines,
        r"\end{tikzpicture}",
    ]
    return "\n".join(lines) + "\n"


class _Writer:
    def __init__(self, drawn: Scene) -> None:
        self.point, self.lines, self.colours, self.names = drawn.point, list[str](), set[str](), set[str]()

    def colour(self, text: str) -> str:
        """The name of a colour, which is defined at the picture's head."""
        self.colours.add(name := text.removeprefix("#").upper())
        return f"sg{name}"

    def shape(self, shape: Shape, depth: int) -> None:
        """Writes one form with all in it."""
        match shape:
            case Path():
                self._add(rf"\path[{self._style(shape)}] {_outline(shape.commands)};", depth)
            case Circle():
                line = f"draw={self.colour(shape.stroke)}, line width={self._pt(shape.width)}"
                style = [f"fill={self.colour(shape.fill)}"] if shape.fill != "none" else []
                style += [line] if shape.stroke != "none" else []
                circle = f"{_spot((shape.x, shape.y))} circle[radius={self._pt(shape.radius)}]"
                self._add(rf"\path[{', '.join(style)}] {circle};", depth)
            case Words():
                self._words(shape, depth)
            case Group():
                self._group(shape, depth)

    def _add(self, text: str, depth: int) -> None:
        self.lines.append(f"{'  ' * (depth + 1)}{text}")

    def _pt(self, units: float) -> str:
        return f"{_n(units * self.point)}pt"

    def _style(self, path: Path) -> str:
        style = [f"fill={self.colour(path.fill)}"] if path.fill != "none" else []
        if path.stroke != "none":
            style += [f"draw={self.colour(path.stroke)}", f"line width={self._pt(path.width)}", "line join=round"]
            style += ["line cap=round"] if path.is_round else []
            if path.dash:
                pairs = pairwise([*path.dash, path.dash[0]])
                on_off = [f"on {self._pt(on)} off {self._pt(off)}" for on, off in list(pairs)[::2]]
                style.append(f"dash pattern={' '.join(on_off)}")
        style += [f"opacity={_n(path.opacity)}"] if path.opacity < 1 else []
        return ", ".join(style)

    def _words(self, words: Words, depth: int) -> None:
        anchor = {"middle": "base", "start": "base west", "end": "base east"}[words.anchor]
        size = f"{words.size * self.point:.3g}"
        style = [f"anchor={anchor}", f"text={self.colour(words.fill)}"]
        style.append(rf"font={FACE}\fontsize{{{size}}}{{{size}}}\selectfont")
        style += [f"fill={self.colour(words.halo)}"] if words.halo.startswith("#") else []
        text = "".join(map(_run, words.runs))
        self._add(rf"\node[{', '.join(style)}] at {_spot((words.x, words.y))} {{{text}}};", depth)

    def _group(self, group: Group, depth: int) -> None:
        if group.clip is not None:
            left, top, side, _ = group.clip
            self._add(r"\begin{scope}", depth)
            self._add(rf"\clip {_spot((left, top))} rectangle {_spot((left + side, top + side))};", depth + 1)
        else:
            if group.role:
                self._add(f"% {_comment(' '.join(filter(None, (group.role, group.words or group.name))))}", depth)
            faint = f"[opacity={_n(group.opacity)}]" if group.opacity < 1 else ""
            self._add(rf"\begin{{scope}}{faint}", depth)
            self._coordinate(group, depth + 1)
        for part in group.parts:
            self.shape(part, depth + 1)
        self._add(r"\end{scope}", depth)

    def _coordinate(self, group: Group, depth: int) -> None:
        body = next((part for part in group.parts if isinstance(part, Path)), None)
        name = re.sub(r"[^A-Za-z0-9]+", "-", group.name).strip("-")
        if group.role != "box" or body is None or not name or name in self.names:
            return
        self.names.add(name)
        xs, ys = zip(*(point for _, numbers in body.commands for point in points_of(numbers)), strict=True)
        middle = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
        self._add(rf"\coordinate ({name}) at {_spot(middle)};", depth)


def _outline(commands: tuple[Command, ...]) -> str:
    """The text of a path; a curve with one middle point becomes one with two."""
    parts, here = [], (0.0, 0.0)
    for name, numbers in commands:
        if name == "Z":
            parts.append("-- cycle")
            continue
        spots = points_of(numbers)
        if name == "Q":
            (mx, my), (x, y) = spots
            first = here[0] + (mx - here[0]) * 2 / 3, here[1] + (my - here[1]) * 2 / 3
            spots = [first, (x + (mx - x) * 2 / 3, y + (my - y) * 2 / 3), (x, y)]
        *middle, end = map(_spot, spots)
        here = spots[-1]
        lead = f".. controls {' and '.join(middle)} .. " if middle else "" if name == "M" else "-- "
        parts.append(f"{lead}{end}")
    return " ".join(parts)


def _spot(point: tuple[float, float]) -> str:
    return f"({_n(point[0])},{_n(point[1])})"


def _run(run: Run) -> str:
    text = "".join(_letter(letter) for letter in run.text)
    text = rf"\textit{{{text}}}" if run.is_italic else text
    text = rf"\textbf{{{text}}}" if run.is_bold else text
    return rf"\textsubscript{{{text}}}" if run.is_sub else text


def _letter(letter: str) -> str:
    if letter in _MATHS:
        return f"${_MATHS[letter]}$"
    return FOR_LATEX.get(letter) or _TEXTS.get(letter) or letter


def _comment(text: str) -> str:
    return " ".join(text.split())


def _n(value: float) -> str:
    return short(value, 2)
