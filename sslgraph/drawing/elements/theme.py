"""Colours, light and dark. They only repeat what shape, border and line already say."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Paint:
    """The inside and the border of a kind of box, and its letters."""

    fill: str
    line: str
    ink: str


@dataclass(frozen=True)
class Theme:
    """Every colour of a picture; a page may give names of its own variables."""

    name: str
    ground: str
    ink: str
    muted: str
    faint: str
    frame: str
    quiet: str  # lines without gradient
    flow: str  # the overlay of gradients
    flows: tuple[str, ...]  # of a second and a third player
    trained: Paint
    ema: Paint
    frozen: Paint
    none: Paint
    memory: Paint
    loss: Paint

    def weights(self, name: str) -> Paint:
        """The paint of who changes the weights."""
        return {"trained": self.trained, "ema": self.ema, "frozen": self.frozen}.get(name, self.none)


LIGHT = Theme(
    "light",
    ground="#FFFFFF",
    ink="#1B2733",
    muted="#5B6773",
    faint="#D5DBE1",
    frame="#F6F8FA",
    quiet="#84909C",
    flow="#007F5C",
    flows=("#007F5C", "#8A3F8F", "#8A6D00"),
    trained=Paint("#D9E9F5", "#0072B2", "#1B2733"),
    ema=Paint("#FCEBCB", "#A86400", "#1B2733"),
    frozen=Paint("#E9ECEF", "#69737D", "#1B2733"),
    none=Paint("#F7F8FA", "#7A8691", "#1B2733"),
    memory=Paint("#F2E1EC", "#9A3F78", "#1B2733"),
    loss=Paint("#1B2733", "#1B2733", "#FFFFFF"),
)
DARK = Theme(
    "dark",
    ground="#11171D",
    ink="#E8EDF2",
    muted="#9AA7B4",
    faint="#2F3A45",
    frame="#172029",
    quiet="#6E7C8A",
    flow="#35CFA0",
    flows=("#35CFA0", "#D79BE0", "#F0D050"),
    trained=Paint("#14354E", "#56B4E9", "#E8EDF2"),
    ema=Paint("#3E2F12", "#EBAE43", "#E8EDF2"),
    frozen=Paint("#262E36", "#95A2AE", "#E8EDF2"),
    none=Paint("#1B242D", "#8492A0", "#E8EDF2"),
    memory=Paint("#3B2336", "#DE93C4", "#E8EDF2"),
    loss=Paint("#E8EDF2", "#E8EDF2", "#11171D"),
)
THEMES = {"light": LIGHT, "dark": DARK}
