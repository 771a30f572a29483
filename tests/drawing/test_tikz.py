"""TikZ: every letter is LaTeX's, boxes have names, and LaTeX sets it where there is one."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from test_layout import shipped

from sslgraph.drawing import LIGHT, picture
from sslgraph.drawing.elements.forms import Group, Words
from sslgraph.drawing.elements.forms import Path as Line
from sslgraph.drawing.elements.measure import Run
from sslgraph.drawing.paint.scene import Scene, scene
from sslgraph.drawing.write.fitted import fitted
from sslgraph.drawing.write.tikz import as_tikz


def drawn(*shapes: Line | Words | Group) -> str:
    return as_tikz(Scene(shapes, 10.0, 20.0, "A 100 % title", LIGHT, point=0.5))


def test_words_are_escaped_and_mathematics_is_mathematics() -> None:
    runs = (Run("50 % of a_b & θ²→"), Run("i", is_italic=True), Run("max", is_sub=True))
    text = drawn(Words(1.0, 2.0, runs, 12.0, "#1B2733"))
    assert r"{50 \% of a\_b \& $\theta$$^2$$\rightarrow$\textit{i}\textsubscript{max}}" in text
    assert r"\fontsize{6}{6}" in text and "at (1,2)" in text and "x=0.5pt, y=-0.5pt" in text


def test_curves_and_dashes() -> None:
    curve = Line((("M", (0.0, 0.0)), ("Q", (3.0, 0.0, 3.0, 3.0))), stroke="#0072B2", width=2.0, dash=(4.0, 2.0))
    text = drawn(Group((curve,), "box", "f_x1", "encoder f"))
    assert "(0,0) .. controls (2,0) and (3,1) .. (3,3)" in text
    assert "draw=sg0072B2, line width=1pt" in text and "dash pattern=on 2pt off 1pt" in text
    assert r"\coordinate (f-x1) at (1.5,1.5);" in text and r"\definecolor{sg0072B2}{HTML}{0072B2}" in text


def test_scopes_and_braces_are_closed() -> None:
    text = as_tikz(scene(picture(shipped("byol")), LIGHT))
    assert text.count(r"\begin{scope}") == text.count(r"\end{scope}") > 20
    plain = re.sub(r"\\[{}]", "", text)
    assert plain.count("{") == plain.count("}") and text.count(r"\begin{tikzpicture}") == 1
    said = "".join(line for line in text.splitlines() if not line.lstrip().startswith("%"))
    assert not [letter for letter in said if ord(letter) > 255]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX")
def test_latex_sets_two_columns_with_three_figures(tmp_path: Path) -> None:
    names = ("byol", "moco_v2", "mae")
    for name in names:
        (tmp_path / f"{name}.tex").write_text(as_tikz(fitted(picture(shipped(name)), LIGHT, inches=3.25)))
    figure = r"\begin{figure}\centering\input{NAME.tex}\caption{A method.}\end{figure}"
    figures = "".join(figure.replace("NAME", name) for name in names)
    head = r"\documentclass[twocolumn]{article}\usepackage[margin=.8in]{geometry}\usepackage{tikz}"
    (tmp_path / "paper.tex").write_text(rf"{head}\begin{{document}}Text.{figures}\end{{document}}")
    words = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "paper.pdf").stat().st_size > 10_000
    too_wide = [float(points) for points in re.findall(r"Overfull \\hbox \(([\d.]+)pt too wide\)", done.stdout)]
    assert not too_wide or max(too_wide) < 1.5
