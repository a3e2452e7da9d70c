"""Pages that the owner writes: privacy, terms, contact. Markdown in a folder, read once at the start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from slopewise.engine.errors import ArgumentError

TITLES = {"privacy": "Privacy", "terms": "Terms", "contact": "Contact"}
_LARGEST = 200_000


@dataclass(frozen=True)
class OwnerPage:
    """A page of the owner's."""

    name: str
    title: str
    html: str


def read_pages(folder: Path | None) -> Mapping[str, OwnerPage]:
    """Return the pages in a folder by name; HTML in them is shown as text, since no page may bring script.

    Raises
    ------
    ArgumentError
        If the folder or a file cannot be read.
    """
    if folder is None:
        return {}
    if not folder.is_dir():
        raise ArgumentError(f"--pages {folder} is no folder; make it, with {_names()}")
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    pages = {}
    for name, title in TITLES.items():
        file = folder / f"{name}.md"
        if not file.exists():
            continue
        try:
            text = file.read_text(encoding="utf-8")[:_LARGEST]
        except (OSError, UnicodeDecodeError) as error:
            raise ArgumentError(f"--pages: cannot read {file}: {error}") from error
        pages[name] = OwnerPage(name, title, markdown.render(text))
    if not pages:
        raise ArgumentError(f"--pages {folder} holds none of {_names()}")
    return pages


def _names() -> str:
    return ", ".join(f"{name}.md" for name in TITLES)
