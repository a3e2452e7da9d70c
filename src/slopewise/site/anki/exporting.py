"""Making a package, a file that Anki imports. It is written in memory: no copy stays on the disk."""

from __future__ import annotations

import io
import itertools
import json
import re
import sqlite3
import uuid
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

from slopewise.site.anki.media import SUFFIXES

_NAMESPACE = uuid.UUID("0b9f9b5e-6f0c-4d6b-9f57-0a1d8a3b7c55")  # fixed: what Anki knows decks and notes by
_MODEL_ID = 1_761_005_101
_CSS = ".card { font: 20px/1.5 sans-serif; text-align: left; max-width: 40em; margin: 0 auto; }"
_SOUND = re.compile(r'<audio[^>]* src="/cards/media/([0-9a-f-]{36})"[^>]*></audio>')
_IMAGE = re.compile(r'src="/cards/media/([0-9a-f-]{36})"')


@dataclass(frozen=True)
class NoteToWrite:
    """A card on its way to Anki: HTML on both sides, and the identity that it keeps."""

    id: uuid.UUID
    front: str
    back: str
    tags: tuple[str, ...] = field(default=())


def package(
    name: str, notes: Sequence[NoteToWrite], media: Mapping[str, tuple[str, bytes]], now: datetime
) -> bytes:
    """Return a package. The same cards at the same moment give the same notes; identities never change.

    Parameters
    ----------
    name : str
        The deck's name.
    notes : sequence of NoteToWrite
    media : mapping
        Type and bytes of images and sounds by id.
    now : datetime
    """
    import genanki

    model = genanki.Model(
        _MODEL_ID,
        "Slopewise card",
        fields=[{"name": "Front"}, {"name": "Back"}],
        templates=[{"name": "Card", "qfmt": "{{Front}}", "afmt": "{{FrontSide}}<hr id=answer>{{Back}}"}],
        css=_CSS,
    )
    deck = genanki.Deck(uuid.uuid5(_NAMESPACE, name).int >> 98, name)
    files = {key: f"{key}.{SUFFIXES[kind]}" for key, (kind, _) in media.items()}
    for note in notes:
        fields = [_with_media(side, files) for side in (note.front, note.back)]
        deck.add_note(genanki.Note(model, fields, guid=str(note.id), tags=[_tag(tag) for tag in note.tags]))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("collection.anki2", _collection(deck, now))
        archive.writestr("media", json.dumps({str(place): files[key] for place, key in enumerate(media)}))
        for place, (_, content) in enumerate(media.values()):
            archive.writestr(str(place), content)
    return out.getvalue()


def html_of_markdown(text: str) -> str:
    r"""Return the side of a course card as HTML whose formulas Anki sets.

    Examples
    --------
    >>> html_of_markdown("The step is $-\\eta g$.")
    '<p>The step is \\(-\\eta g\\).</p>'
    """
    html: str = _parser().render(text)
    return html.strip()


def html_of_plain(text: str) -> str:
    """Return what a learner typed as HTML that shows it letter by letter.

    Examples
    --------
    >>> html_of_plain("a < b\\nand c")
    'a &lt; b<br>and c'
    """
    return escape(text, quote=False).replace("\n", "<br>")


def _collection(deck: Any, now: datetime) -> bytes:
    """Return the collection as the bytes of an SQLite file; genanki alone would leave one on the disk."""
    moment = now.timestamp()
    with closing(sqlite3.connect(":memory:")) as connection:
        import genanki

        genanki.Package(deck).write_to_db(connection.cursor(), moment, itertools.count(int(moment * 1000)))
        connection.commit()
        return connection.serialize()


def _with_media(html: str, files: Mapping[str, str]) -> str:
    html = html.replace("\x1f", "")  # which Anki puts between fields
    html = _SOUND.sub(lambda found: f"[sound:{files[found[1]]}]" if found[1] in files else "", html)
    return _IMAGE.sub(lambda found: f'src="{files.get(found[1], "")}"', html)


def _tag(text: str) -> str:
    return "-".join(text.split())


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.use(dollarmath_plugin, double_inline=True, allow_space=False)
    parser.add_render_rule("math_inline", _inline_tex)
    for name in ("math_inline_double", "math_block", "math_block_label"):
        parser.add_render_rule(name, _display_tex)
    return parser


def _inline_tex(renderer: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    return rf"\({escape(tokens[index].content.strip())}\)"


def _display_tex(renderer: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    return rf"\[{escape(tokens[index].content.strip())}\]"
