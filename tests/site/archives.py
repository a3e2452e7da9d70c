"""Content archives for tests."""

from contextlib import contextmanager

from sqlalchemy import delete

from slopewise.site.content.lesson import Card, card_identity
from slopewise.site.content.library import ProDeck
from slopewise.site.storage.content_tables import LoadedArchive

SUBJECTS = ("harbour", "orchard", "lighthouse")


def make_deck(slug, subject, size=2):
    """Return a deck whose words are in no other text of the site."""
    cards = [
        Card(
            f"{subject}-{number}",
            card_identity(slug, {"id": f"{subject}-{number}"}),
            "recall",
            f"Which premium {subject} question carries the number {number} here?",
            f"The premium {subject} answer that nobody else may read is {number}: $x^{number}$.",
            ("important",),
        )
        for number in range(1, size + 1)
    ]
    return ProDeck(
        slug, f"All about the {subject}", f"Cards on one {subject}.", {"recall": "Recall it"}, tuple(cards)
    )


def sample_decks():
    return [make_deck(f"pro-{subject}", subject) for subject in SUBJECTS[:2]]


@contextmanager
def whatever_is_loaded(site):
    """Forget afterwards what was loaded into a site."""
    yield
    with site.app.state.database.writing() as session:
        session.execute(delete(LoadedArchive))
