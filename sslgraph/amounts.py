"""Amounts as people read them: "5,004 steps", "28.1 %"."""

from __future__ import annotations


def counted(number: float, what: str) -> str:
    """ "1 epoch", "2.5 epochs", "5,004 steps", "2 losses"."""
    shown = int(number) if number == int(number) else round(number, 3)
    return f"{shown:,} {what}" + ("" if number == 1 else "es" if what.endswith("s") else "s")


def part_of(number: int, whole: int, what: str) -> str:
    """ "2,000 of 10,000 images", "10,000 images" of all of them."""
    return counted(whole, what) if number == whole else f"{number:,} of {counted(whole, what)}"


def percent(share: float, digits: int = 1) -> str:
    """ "28.1 %"."""
    return f"{share:.{digits}%}".replace("%", " %")
