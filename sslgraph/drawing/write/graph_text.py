"""The picture as text for other tools: Graphviz's DOT and Mermaid. They lay out by themselves, and worse."""

from __future__ import annotations

from ..elements.picture import Box, Edge, Picture
from ..elements.theme import LIGHT

_DOT_SHAPES = {
    "encoder": "trapezium",
    "decoder": "invtrapezium",
    "memory": "cylinder",
    "loss": "hexagon",
    "image": "square",
    "view": "square",
}
_LINKS = {  # the colours and dashes of Mermaid's lines
    "gradient": f"stroke:{LIGHT.ink},stroke-width:2px",
    "input": f"stroke:{LIGHT.quiet}",
    "none": f"stroke:{LIGHT.quiet},stroke-dasharray:5 3",
    "ema": f"stroke:{LIGHT.ema.line},stroke-dasharray:1 4",
    "write": f"stroke:{LIGHT.memory.line},stroke-dasharray:7 3 2 3",
    "same": f"stroke:{LIGHT.trained.line},stroke-width:3px",
}
_MERMAID = {
    "encoder": ('[/"', '"\\]'),
    "decoder": ('[\\"', '"/]'),
    "memory": ('[("', '")]'),
    "loss": ('{{"', '"}}'),
    "op": ('(["', '"])'),
    "augmentation": ('(["', '"])'),
}
_DASHES = {"ema": "5 3", "frozen": "2 3"}
_NETS = ("trained", "ema", "frozen")
_PAINT = {**{name: LIGHT.weights(name) for name in _NETS}, "memory": LIGHT.memory, "loss": LIGHT.loss}


def dot(picture: Picture) -> str:
    """The picture as a Graphviz graph; each panel is a cluster."""
    ids = _ids(picture)
    lines = [
        "digraph {",
        "  rankdir=LR; node [fontname=Helvetica, fontsize=11]; edge [fontname=Helvetica, fontsize=9];",
        f"  label={_quoted(picture.title)};",
    ]
    for number, panel in enumerate(picture.panels):
        lines.append(f"  subgraph cluster_{number} {{ label={_quoted(panel.title)}; color=none;")
        for number_, frame in enumerate(panel.frames):
            title = f'label={_quoted(frame.title)}; style=filled; color="#F6F8FA";'
            members = "; ".join(ids[name] for name in frame.boxes)
            lines.append(f"    subgraph cluster_{number}_{number_} {{ {title} {members}; }}")
        for box in panel.boxes:
            paint = _PAINT.get(_class(box), LIGHT.none)
            is_dotted = _class(box) in _DASHES
            style = f'"filled{",dashed" if box.weights == "ema" else ",dotted" if is_dotted else ""}"'
            shape = _DOT_SHAPES.get(box.kind, "box")
            ink = "white" if box.kind == "loss" else LIGHT.ink
            colours = f'fillcolor="{paint.fill}", color="{paint.line}", fontcolor="{ink}"'
            lines.append(f"    {ids[box.id]} [label={_quoted(words(box))}, shape={shape}, style={style}, {colours}];")
        lines += [f"    {ids[e.source]} -> {ids[e.target]} [{_dot_style(e)}];" for e in panel.edges]
        lines.append("  }")
    return "\n".join([*lines, "}"]) + "\n"


def mermaid(picture: Picture) -> str:
    """The picture as a Mermaid flow chart; it stands in a README as it is."""
    ids = _ids(picture)
    lines = ["flowchart LR"]
    for number, panel in enumerate(picture.panels):
        if panel.title:
            lines.append(f'  subgraph p{number}["{_entities(panel.title)}"]')
        for box in panel.boxes:
            before, after = _MERMAID.get(box.kind, ('["', '"]'))
            lines.append(f"  {ids[box.id]}{before}{_entities(words(box))}{after}:::{_class(box) or 'plain'}")
        for place, frame in enumerate(panel.frames):
            members = "; ".join(ids[name] for name in frame.boxes)
            lines.append(f'  subgraph b{number}_{place}["{_entities(frame.title)}"]\n    {members}\n  end')
        lines += [f"  {ids[e.source]} {_arrow(e)} {ids[e.target]}" for e in panel.edges]
        if panel.title:
            lines.append("  end")
    for name, paint in {**_PAINT, "plain": LIGHT.none}.items():
        dash = f",stroke-dasharray:{_DASHES[name]}" if name in _DASHES else ""
        ink = ",color:#FFFFFF" if name == "loss" else ""
        lines.append(f"  classDef {name} fill:{paint.fill},stroke:{paint.line}{dash}{ink}")
    kinds = [edge.kind if edge.kind != "data" else edge.gradient for panel in picture.panels for edge in panel.edges]
    for kind, style in _LINKS.items():
        numbers = [str(number) for number, found in enumerate(kinds) if found == kind]
        lines += [f"  linkStyle {','.join(numbers)} {style}"] if numbers else []
    return "\n".join(lines) + "\n"


def words(box: Box) -> str:
    """A box in two lines."""
    name = " ".join(filter(None, (box.title, box.symbol if box.symbol.lower() != box.title.lower() else "")))
    copies = f" ×{box.copies}" if box.copies > 1 else ""
    return "\n".join(filter(None, (name + copies, box.sub, box.note)))


def _ids(picture: Picture) -> dict[str, str]:
    boxes = [box.id for panel in picture.panels for box in panel.boxes]
    return {name: f"n{number}" for number, name in enumerate(boxes)}


def _class(box: Box) -> str:
    return box.kind if box.kind in ("memory", "loss") else box.weights if box.weights != "none" else ""


def _said(edge: Edge) -> str:
    if edge.kind != "data":
        return edge.label
    name = edge.port or edge.name
    return " ".join(filter(None, (name, edge.shape, "stop-grad" if edge.stop else "")))


def _dot_style(edge: Edge) -> str:
    plain = {"gradient": f'color="{LIGHT.ink}"', "input": f'color="{LIGHT.quiet}"'}
    style = {
        "data": plain.get(edge.gradient, f'style=dashed, color="{LIGHT.quiet}"'),
        "ema": f'style=dotted, color="{LIGHT.ema.line}", constraint=false',
        "write": f'style=dashed, color="{LIGHT.memory.line}", constraint=false',
        "same": f'dir=none, color="{LIGHT.trained.line}:{LIGHT.trained.line}", constraint=false',
    }[edge.kind]
    return f"label={_quoted(_said(edge))}, {style}"


def _arrow(edge: Edge) -> str:
    text = f'|"{_entities(_said(edge))}"|' if _said(edge) else ""
    if edge.kind == "same":
        return f"---{text}"
    return f"-.->{text}" if edge.kind != "data" or edge.gradient == "none" else f"-->{text}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _entities(text: str) -> str:
    safe = (
        text.replace("&", "&amp;").replace("#", "#35;").replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;")
    )
    return safe.replace("\n", "<br>")
