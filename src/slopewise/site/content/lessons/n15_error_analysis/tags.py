"""A learner's own tags of errors, as an address holds them, and the fix that they ask for.

``0_34.shifted_52.label`` are two tags in the world of seed 0. They outlive a change of cell and order, as
they are of pictures; in the world of another seed they mean nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from slopewise.engine.errors import ArgumentError
from slopewise.site.content.lessons.n15_error_analysis.pictures import TAGS
from slopewise.site.labs.settings import Text

TAGS_SETTING = Text("tags", "Your tags", "none", 1500, offered=True)
TOP = "top"  # the fix that the top tag asks for
_WRITTEN = re.compile(r"[0-9]{1,2}(_[0-9]{1,3}\.[a-z]+)+")


def read_tags(text: str, seed: int) -> dict[int, str]:
    """Return the tags by picture; none if they are of another world.

    Raises
    ------
    ArgumentError
        If they cannot be read.
    """
    if text == TAGS_SETTING.default:
        return {}
    known = ", ".join(TAGS)
    if not _WRITTEN.fullmatch(text):
        raise ArgumentError(f"tags are written as 0_34.shifted_52.label, not {text[:40]!r}; tags are {known}")
    world, *entries = text.split("_")
    tags = {}
    for entry in entries:
        row, tag = entry.split(".")
        if tag not in TAGS:
            raise ArgumentError(f"there is no tag {tag[:20]!r}; tags are {known}")
        tags[int(row)] = tag
    return tags if int(world) == seed else {}


def write_tags(tags: Mapping[int, str], seed: int) -> str:
    """Return what `read_tags` reads."""
    return "_".join([str(seed), *(f"{row}.{tags[row]}" for row in sorted(tags))])


def top_of(counts: Mapping[str, int]) -> str:
    """Return the tag with the highest count; if several have it, a cause before “nothing unusual”."""
    return max(TAGS, key=lambda tag: (counts.get(tag, 0), tag != "plain"))


def counted(tags: Mapping[int, str]) -> Counter[str]:
    """Return how many pictures have each tag."""
    return Counter(tags.values())


def fix_of(tag: str) -> str:
    """Return the fix that mends a cause."""
    return "relabel" if tag == "label" else tag
