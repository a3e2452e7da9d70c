"""The database: its tables, its migrations, and how reviews of cards are written and read."""

from slopewise.site.storage.database import Database, open_database
from slopewise.site.storage.reviews import ReviewRecord, record_reviews, reviews_of
from slopewise.site.storage.tables import Learner, Review

__all__ = [
    "Database",
    "Learner",
    "Review",
    "ReviewRecord",
    "open_database",
    "record_reviews",
    "reviews_of",
]
