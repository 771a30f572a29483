"""A scene as SVG: plain text elements, no style sheet, nothing from outside; it opens everywhere alike.

A PNG is drawn from it by resvg with the shipped fonts only: the same dots on every machine.
"""

from __future__ import annotations

import re
from pathlib import Path as File

from sslgraph.escaping import escape

from ..elements.forms import Circle, Command, Group, Path, Shape, Words, short
from ..elements.measure import FONTS, SMALL
from ..elements.picture import Picture
from ..elements.theme import THEMES, Theme
from ..figure.summed import gathered
from ..paint.scene import POINT, Scene, scene

FONT = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
FILES = (
    "FigureSans-Regular.ttf",
    "FigureSans-Bold.ttf",
    "FigureSans-Italic.ttf",
    "FigureSymbols-Regular.ttf",
)
_SUB = (SMALL, 0.24)  # a subscript's size and how far it stands below


def svg(
    picture: Picture,
    *,
    theme: Theme | str = "light",
    gradients: bool = False,
    shapes: bool = True,
    legend: bool = True,
    prefix: str = "",
) -> str:
    """The picture as SVG text, the same bytes on every machine.

    theme: "light", "dark", or a Theme of one's own (a page may give its CSS variables as colours).
    gradients: the overlay of where gradients run. shapes: whether the shapes of tensors are written.
    prefix: put before the ids in the text, where several pictures stand on one page.

    Boxes are `<g class="box KIND" data-id="ID">`, lines `<g class="edge KIND GRADIENT" data-edge="SOURCE>TARGET">`,
    each with a `<title>`.
    """
    found = THEMES[theme] if isinstance(theme, str) else theme
    return as_svg(
        scene(gathered(picture), found, gradients=gradients, shapes=shapes, with_legend=legend), prefix=prefix
    )


def as_svg(drawn: Scene, *, prefix: str = "", alone: bool = False) -> str:
    """A scene as SVG text. `alone`: it stands in a file of its own, so groups have readable ids and it is described."""
    work = _Writer(prefix, alone)
    body = "".join(work.shape(shape) for shape in drawn.shapes)
    sides = [_n(drawn.width), _n(drawn.height)]
    if drawn.point != POINT:  # for a sheet of paper
        sides = [f"{side * drawn.point / 72:.4g}in" for side in (drawn.width, drawn.height)]
    size = f'width="{sides[0]}" height="{sides[1]}" viewBox="0 0 {_n(drawn.width)} {_n(drawn.height)}"'
    about = f"<desc>{escape(drawn.words)}</desc>\n" if alone and drawn.words else ""
    ground = f'<rect width="{_n(drawn.width)}" height="{_n(drawn.height)}" fill="{drawn.theme.ground}"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{FONT}" role="img">\n'
        f"<title>{escape(drawn.title)}</title>\n{about}{'' if drawn.is_transparent else ground}\n{body}</svg>\n"
    )


class _Writer:
    def __init__(self, prefix: str, alone: bool) -> None:
        self.prefix, self.clips, self.ids = prefix, 0, dict[str, int]() if alone else None

    def shape(self, shape: Shape) -> str:
        match shape:
            case Path():
                return self._path(shape)
            case Circle():
                line = f' stroke="{shape.stroke}" stroke-width="{_n(shape.width)}"' if shape.stroke != "none" else ""
                return (
                    f'<circle cx="{_n(shape.x)}" cy="{_n(shape.y)}" r="{_n(shape.radius)}" fill="{shape.fill}"{line}/>'
                )
            case Words():
                return _words(shape)
            case Group():
                return self._group(shape)

    def _path(self, path: Path) -> str:
        line = ""
        if path.stroke != "none":
            line = f' stroke="{path.stroke}" stroke-width="{_n(path.width)}" stroke-linejoin="round"'
            line += f' stroke-dasharray="{" ".join(map(_n, path.dash))}"' if path.dash else ""
            line += ' stroke-linecap="round"' if path.is_round else ""
        faint = f' opacity="{_n(path.opacity)}"' if path.opacity < 1 else ""
        return f'<path d="{data(path.commands)}" fill="{path.fill}"{line}{faint}/>'

    def _group(self, group: Group) -> str:
        inner = "".join(self.shape(part) for part in group.parts)
        if group.clip is not None:
            self.clips += 1
            name = f"{self.prefix}clip{self.clips}"
            left, top, side, radius = map(_n, group.clip)
            square = f'<rect x="{left}" y="{top}" width="{side}" height="{side}" rx="{radius}"/>'
            return f'<clipPath id="{name}">{square}</clipPath><g clip-path="url(#{name})">{inner}</g>'
        if not group.role:
            return f'<g opacity="{_n(group.opacity)}">{inner}</g>' if group.opacity < 1 else inner
        names = " ".join((group.role, *group.kinds))
        key = {"box": "data-id", "edge": "data-edge", "stop": "data-edge", "frame": "data-frame"}.get(group.role)
        name = f' {key}="{escape(group.name)}"' if key else ""
        title = f"<title>{escape(group.words)}</title>" if group.words else ""
        faint = f' opacity="{_n(group.opacity)}"' if group.opacity < 1 else ""
        name += f' id="{self._id(group)}"' if self.ids is not None else ""
        return f'<g class="{escape(names)}"{name}{faint}>{title}{inner}</g>\n'

    def _id(self, group: Group) -> str:
        """A name for editors of pictures: encoder-f_x1, edge-z-to-loss; what is there twice gets a number."""
        assert self.ids is not None
        kind = group.kinds[0] if group.role == "box" and group.kinds else group.role
        words = re.sub(r"[^\w.]+", "-", f"{kind}-{group.name.replace('>', '-to-')}".strip("-"))
        self.ids[words] = count = self.ids.get(words, 0) + 1
        return words if count == 1 else f"{words}-{count}"


def data(commands: tuple[Command, ...]) -> str:
    """The text of a path."""
    return "".join(name + " ".join(map(_n, numbers)) for name, numbers in commands)


def _words(words: Words) -> str:
    size, drop, spans = words.size, 0.0, []
    for run in words.runs:
        want = size * _SUB[1] if run.is_sub else 0.0
        style = f' dy="{_n(want - drop)}"' if abs(want - drop) > 0.01 else ""
        style += f' font-size="{_n(size * _SUB[0])}"' if run.is_sub else ""
        style += ' font-style="italic"' if run.is_italic else ""
        style += ' font-weight="bold"' if run.is_bold else ""
        spans.append(f"<tspan{style}>{escape(run.text)}</tspan>" if style else escape(run.text))
        drop = want
    halo = f' stroke="{words.halo}" stroke-width="3" stroke-linejoin="round" paint-order="stroke"' if words.halo else ""
    anchor = f' text-anchor="{words.anchor}"' if words.anchor != "start" else ""
    place = f'x="{_n(words.x)}" y="{_n(words.y)}" font-size="{_n(size)}"{anchor}'
    return f'<text {place} fill="{words.fill}"{halo}>{"".join(spans)}</text>'


def _n(value: float) -> str:
    return short(value, 1 if abs(value) >= 1 else 2)


def rendered(text: str, *, zoom: int = 2, more: tuple[File, ...] = ()) -> bytes:
    """SVG text as the bytes of a PNG, `zoom` dots for each unit; `more`: fonts for letters that no shipped one has."""
    import resvg_py

    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=text,
            zoom=zoom,
            dpi=96,
            skip_system_fonts=True,
            font_files=[*(str(FONTS / name) for name in FILES), *map(str, more)],
            font_family="Figure Sans",
            sans_serif_family="Figure Sans",
        )
    )
