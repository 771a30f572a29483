"""The picture as text for other tools: Graphviz's DOT and Mermaid. They lay out by themselves, and worse."""

from __future__ import annotations

from ..elements.picture import Box, Edge, Picture

_DOT_SHAPES = {
    "encoder": "trapezium",
    "decoder": "invtrapezium",
    "memory": "cylinder",
    "loss": "hexagon",
    "image": "square",
    "view": "square",
}
_LINKS = {  # the colours and dashes of Mermaid's lines
    "gradient": "stroke:#1B2733,stroke-width:2px",
    "input": "stroke:#84909C",
    "none": "stroke:#84909C,stroke-dasharray:5 3",
    "ema": "stroke:#A86400,stroke-dasharray:1 4",
    "write": "stroke:#9A3F78,stroke-dasharray:7 3 2 3",
    "same": "stroke:#0072B2,stroke-width:3px",
}
_MERMAID = {
    "encoder": ('[/"', '"\\]'),
    "decoder": ('[\\"', '"/]'),
    "memory": ('[("', '")]'),
    "loss": ('{{"', '"}}'),
    "op": ('(["', '"])'),
    "augmentation": ('(["', '"])'),
}
_PAINT = {
    "trained": ("#D9E9F5", "#0072B2", ""),
    "ema": ("#FCEBCB", "#A86400", "5 3"),
    "frozen": ("#E9ECEF", "#69737D", "2 3"),
    "memory": ("#F2E1EC", "#9A3F78", ""),
    "loss": ("#1B2733", "#1B2733", ""),
}


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
            fill, line, dash = _PAINT.get(_class(box), ("#F7F8FA", "#7A8691", ""))
            style = f'"filled{",dashed" if box.weights == "ema" else ",dotted" if dash else ""}"'
            shape = _DOT_SHAPES.get(box.kind, "box")
            ink = "white" if box.kind == "loss" else "#1B2733"
            colours = f'fillcolor="{fill}", color="{line}", fontcolor="{ink}"'
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
    for name, (fill, line, dash) in _PAINT.items():
        extra = (f",stroke-dasharray:{dash}" if dash else "") + (",color:#FFFFFF" if name == "loss" else "")
        lines.append(f"  classDef {name} fill:{fill},stroke:{line}{extra}")
    lines.append("  classDef plain fill:#F7F8FA,stroke:#7A8691")
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
    style = {
        "ema": 'style=dotted, color="#A86400", constraint=false',
        "write": 'style=dashed, color="#9A3F78", constraint=false',
        "same": 'dir=none, color="#0072B2:#0072B2", constraint=false',
    }.get(edge.kind)
    data = {"gradient": 'color="#1B2733"', "input": 'color="#84909C"', "none": 'style=dashed, color="#84909C"'}[
        edge.gradient
    ]
    return f"label={_quoted(_said(edge))}, {style or data}"


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
