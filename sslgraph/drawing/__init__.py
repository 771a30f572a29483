"""Pictures of methods, drawn from the compiled graph: what a paper's figure shows, and nothing that isn't so.

How to use:

    from sslgraph.drawing import fold, foldable, picture, svg

    drawn = picture(sized)                           # or level="every-call"; sized: what settling gives
    text = svg(drawn, theme="dark", gradients=True)  # shapes=False; legend=False; prefix="a-" for one of several
    small = fold(drawn, *foldable(drawn))            # branches as one box each; any of foldable(drawn)
    as_dict(drawn), as_json(drawn)                   # everything that is known of each box and line

A `Picture` has `panels` (one for each leg), a `Panel` has `boxes`, `edges`, `lanes` and `frames`; ids of boxes are
unique in a picture and stand in the SVG as `data-id`, lines as `data-edge="SOURCE>TARGET"`. `scene` gives the forms
with their places, for a drawing that adds its own; `layout` the places alone.
"""

from .arrange.layout import Layout, layout
from .elements.picture import Box, Edge, Frame, Level, Line, Panel, Picture, as_dict, as_json
from .elements.theme import DARK, LIGHT, THEMES, Paint, Theme
from .figure.build import picture
from .figure.fold import fold, foldable
from .paint.scene import Scene, scene
from .write.svg import as_svg, svg

__all__ = [
    "DARK", "LIGHT", "THEMES", "Box", "Edge", "Frame", "Layout", "Level", "Line", "Paint", "Panel", "Picture", "Scene",
    "Theme", "as_dict", "as_json", "as_svg", "fold", "foldable", "layout", "picture", "scene", "svg",
]  # fmt: skip
