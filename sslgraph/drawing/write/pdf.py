"""The picture as PDF, drawn by matplotlib with the fonts of this folder: text stays text, lines stay lines."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path as File
from typing import Any

from ..elements.forms import Circle, Command, Group, Path, Shape, Words, points_of
from ..elements.measure import FONTS, SMALL, Run, width
from ..paint.scene import Scene
from .fonts import font_for, strange

SYMBOLS = "FigureSymbols-Regular.ttf"
_FACES = {(False, False): "Regular", (True, False): "Bold", (False, True): "Italic", (True, True): "Bold"}


def as_pdf(drawn: Scene) -> bytes:
    """A scene as the bytes of a PDF of one page, without dates."""
    import matplotlib as mpl
    from matplotlib.backends.backend_pdf import FigureCanvasPdf
    from matplotlib.figure import Figure

    with mpl.rc_context({"pdf.fonttype": 42, "lines.scale_dashes": False, "svg.hashsalt": "sslgraph"}):
        ground = "none" if drawn.is_transparent else drawn.theme.ground
        figure = Figure(figsize=(drawn.width * drawn.point / 72, drawn.height * drawn.point / 72), facecolor=ground)
        FigureCanvasPdf(figure)
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_axis_off()
        axes.set_xlim(0, drawn.width)
        axes.set_ylim(drawn.height, 0)
        letters = strange(drawn.shapes)
        work = _Page(axes, drawn.point, font_for(letters) if letters else FONTS / SYMBOLS)
        for shape in drawn.shapes:
            work.draw(shape, None, 1.0)
        out = io.BytesIO()
        about = {"Title": drawn.title, "CreationDate": None, "Creator": "sslgraph", "Producer": None}
        figure.savefig(out, format="pdf", facecolor=ground, metadata=about)
    return out.getvalue()


class _Page:
    """Draws forms on a page one above the other."""

    def __init__(self, axes: Any, point: float, strange_face: File) -> None:
        self.axes, self.order, self.point, self.strange_face = axes, 0, point, strange_face

    def draw(self, shape: Shape, clip: Any, opacity: float) -> None:
        """Draws one form, cut to `clip`."""
        self.opacity = opacity
        match shape:
            case Path():
                self._patch(shape, clip)
            case Circle():
                self._circle(shape, clip)
            case Words():
                self._words(shape)
            case Group():
                for part in shape.parts:
                    self.draw(part, self._clip(shape) if shape.clip else clip, opacity * shape.opacity)

    def _above(self) -> int:
        self.order += 1
        return self.order

    def _add(self, patch: Any, clip: Any) -> None:
        self.axes.add_patch(patch)
        if clip is not None:
            patch.set_clip_path(clip)

    def _patch(self, path: Path, clip: Any) -> None:
        from matplotlib.patches import PathPatch

        style = self._line(path) | {"alpha": path.opacity * self.opacity, "joinstyle": "round"}
        style |= {"capstyle": "round" if path.is_round else "butt"}
        style |= {"linestyle": (0, tuple(d * self.point for d in path.dash))} if path.dash else {}
        self._add(PathPatch(_outline(path.commands), **style), clip)

    def _circle(self, circle: Circle, clip: Any) -> None:
        from matplotlib.patches import Circle as Patch

        self._add(Patch((circle.x, circle.y), circle.radius, alpha=self.opacity, **self._line(circle)), clip)

    def _line(self, shape: Path | Circle) -> dict[str, Any]:
        thick = shape.width * self.point if shape.stroke != "none" else 0.0
        return {"facecolor": shape.fill, "edgecolor": shape.stroke, "linewidth": thick, "zorder": self._above()}

    def _clip(self, group: Group) -> Any:
        from matplotlib.patches import FancyBboxPatch

        assert group.clip is not None
        left, top, side, radius = group.clip
        style = f"round,pad=0,rounding_size={radius}"
        return FancyBboxPatch((left, top), side, side, boxstyle=style, transform=self.axes.transData)

    def _words(self, words: Words) -> None:
        from matplotlib.patheffects import withStroke

        pieces = [piece for run in words.runs for piece in _pieces(run, self.strange_face)]
        sizes = [words.size * (SMALL if run.is_sub else 1.0) for run, _ in pieces]
        wide = [width(run.text, size, is_bold=run.is_bold) for (run, _), size in zip(pieces, sizes, strict=True)]
        x = words.x - {"middle": sum(wide) / 2, "end": sum(wide)}.get(words.anchor, 0.0)
        effects = [withStroke(linewidth=3 * self.point, foreground=words.halo)] if words.halo else None
        for (run, face), size, room in zip(pieces, sizes, wide, strict=True):
            y = words.y + (words.size * 0.24 if run.is_sub else 0.0)
            self.axes.text(
                x, y, run.text, color=words.fill, fontsize=size * self.point, fontproperties=None, font=face,
                alpha=self.opacity, va="baseline", ha="left", zorder=self._above(), path_effects=effects,
                parse_math=False,
            )  # fmt: skip
            x += room


def _outline(commands: tuple[Command, ...]) -> Any:
    from matplotlib.path import Path as Outline

    kinds = {"M": Outline.MOVETO, "L": Outline.LINETO, "Q": Outline.CURVE3, "C": Outline.CURVE4, "Z": Outline.CLOSEPOLY}
    codes, points = [], []
    for name, numbers in commands:
        pairs = points_of(numbers) or [(0.0, 0.0)]
        codes += [kinds[name]] * len(pairs)
        points += pairs
    return Outline(points, codes)


def _pieces(run: Run, strange_face: File) -> list[tuple[Run, File]]:
    """A run cut where its letters change between the text font, the font of symbols and one for strange letters."""
    face = FONTS / f"FigureSans-{_FACES[run.is_bold, run.is_italic]}.ttf"
    found: list[tuple[str, File]] = []
    for letter in run.text:
        here = next((f for f in (face, FONTS / SYMBOLS) if ord(letter) in _letters(f)), strange_face)
        if found and found[-1][1] == here:
            found[-1] = (found[-1][0] + letter, here)
        else:
            found.append((letter, here))
    return [(Run(text, run.is_bold, run.is_italic, run.is_sub), here) for text, here in found]


@cache
def _letters(face: File) -> frozenset[int]:
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(str(face)).get_charmap())
