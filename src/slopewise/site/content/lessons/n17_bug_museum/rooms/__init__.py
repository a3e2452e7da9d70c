"""The exhibits, in the order in which the museum shows them."""

from __future__ import annotations

from slopewise.site.content.lessons.n17_bug_museum.exhibit import Exhibit
from slopewise.site.content.lessons.n17_bug_museum.rooms import data, loop, model, steps

EXHIBITS: dict[str, Exhibit] = loop.EXHIBITS | steps.EXHIBITS | model.EXHIBITS | data.EXHIBITS
