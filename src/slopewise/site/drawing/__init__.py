"""Pictures of lessons and labs, drawn on the server as SVG that follows the page's light or dark theme.

No drawing holds a colour or a style of its own: elements carry classes, the site's style sheet gives them
their looks, and the strict content security policy holds.
"""

from slopewise.site.drawing.numbers import brief, fixed, signed, vector
from slopewise.site.drawing.plot import Plot
from slopewise.site.drawing.scale import Scale, linear, logarithmic
from slopewise.site.drawing.strips import draw_strips
from slopewise.site.drawing.tape_graph import draw_tape_graph

__all__ = [
    "Plot",
    "Scale",
    "brief",
    "draw_strips",
    "draw_tape_graph",
    "fixed",
    "linear",
    "logarithmic",
    "signed",
    "vector",
]
