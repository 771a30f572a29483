"""The page's colours as variables of its style sheet, so that one drawing serves light and dark."""

from __future__ import annotations

from dataclasses import fields

from sslgraph.drawing.elements.theme import THEMES, Paint, Theme
from sslgraph.overlay import MARKS, Marks


def _name(word: str, part: str = "") -> str:
    return f"--{word.replace('_', '-')}{f'-{part}' if part else ''}"


def _paint(word: str) -> Paint:
    return Paint(*(f"var({_name(word, field.name)})" for field in fields(Paint)))


def _theme() -> Theme:
    values: dict[str, object] = {}
    for field in fields(Theme):
        example = getattr(THEMES["light"], field.name)
        if isinstance(example, Paint):
            values[field.name] = _paint(field.name)
        elif isinstance(example, tuple):
            values[field.name] = tuple(f"var({_name(field.name, str(i))})" for i in range(len(example)))
        else:
            values[field.name] = f"var({_name(field.name)})"
    return Theme(**values)  # type: ignore[arg-type]


THEME = _theme()
MARKED = Marks(*(f"var({_name('mark', field.name)})" for field in fields(Marks)))


def variables(name: str) -> str:
    """The variables of the light or the dark theme, as declarations of a style sheet."""
    theme, marks = THEMES[name], MARKS[name]
    lines: list[str] = []
    for field in fields(Theme):
        value = getattr(theme, field.name)
        if isinstance(value, Paint):
            lines += [f"{_name(field.name, part.name)}:{getattr(value, part.name)}" for part in fields(Paint)]
        elif isinstance(value, tuple):
            lines += [f"{_name(field.name, str(i))}:{colour}" for i, colour in enumerate(value)]
        elif field.name != "name":
            lines.append(f"{_name(field.name)}:{value}")
    lines += [f"{_name('mark', field.name)}:{getattr(marks, field.name)}" for field in fields(Marks)]
    return ";".join(lines)
