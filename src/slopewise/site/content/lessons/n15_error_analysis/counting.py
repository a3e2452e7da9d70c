"""A learner's own tags, counted beside the causes of the same errors: in words, as bars, as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from slopewise.site.content.lessons.n15_error_analysis.drawings import draw_bars
from slopewise.site.content.lessons.n15_error_analysis.pictures import FIXES, TAGS
from slopewise.site.content.lessons.n15_error_analysis.tags import counted, fix_of, top_of
from slopewise.site.labs import Figure, Table


@dataclass(frozen=True)
class Counts:
    """Tags that a learner gave, and true causes, of the same errors."""

    tags: Mapping[int, str]
    causes: Mapping[int, str]

    @property
    def alike(self) -> Counter[str]:
        """How many errors of each tag have that cause."""
        return counted({row: tag for row, tag in self.tags.items() if self.causes[row] == tag})

    def words(self, total: int) -> str:
        """Say what the count asks for; `total` is the number of all errors."""
        if not self.tags:
            return (
                "You gave no tag yet. Step back and tag the errors that are open, or press a cell to open "
                "others. Until then the fix goes by the largest cause of all errors."
            )
        top = top_of(counted(self.tags))
        return (
            f"You tagged {len(self.tags)} of {total} errors, {self.alike.total()} of them as the one who "
            f"made the pictures does. “{TAGS[top]}” comes first in your count, with "
            f"{counted(self.tags)[top]}, and asks for {FIXES[fix_of(top)]} to learn from. Tag more errors, "
            "in other cells or in the order of chance, and see whether it stays first."
        )

    def figures(self) -> tuple[Figure, ...]:
        """Return both counts as bars, if there are any."""
        if not self.tags:
            return ()
        mine, causes = (
            {name: counted(found)[tag] for tag, name in TAGS.items()} for found in (self.tags, self.causes)
        )
        bars = draw_bars(mine, causes, title="Your tags, and the causes of the same errors")
        return (Figure("Your tags (grey) and the causes of the same errors (blue)", bars, True),)

    def table(self) -> Table:
        """Return both counts, and how many tags agree."""
        mine, causes, alike = counted(self.tags), counted(self.causes), self.alike
        rows = [(name, str(mine[tag]), str(causes[tag]), str(alike[tag])) for tag, name in TAGS.items()]
        columns = ("Tag", "Your tags", "Causes of the same errors", "Tagged alike")
        return Table("Your tags beside the causes", columns, rows, first=bool(self.tags))
