"""Labs: what a lesson's lab is made of, and the worker processes that run it on the engine."""

from slopewise.site.labs.frame import Code, Figure, Frame, Offer, Prediction, Table
from slopewise.site.labs.lab import Lab
from slopewise.site.labs.settings import Choice, Number, Points, Setting, Text, Toggle, Values, Whole

__all__ = [
    "Choice",
    "Code",
    "Figure",
    "Frame",
    "Lab",
    "Number",
    "Offer",
    "Points",
    "Prediction",
    "Setting",
    "Table",
    "Text",
    "Toggle",
    "Values",
    "Whole",
]
