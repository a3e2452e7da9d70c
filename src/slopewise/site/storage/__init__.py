"""The database: its tables, its migrations, and how reviews of cards are written and read."""

from slopewise.site.storage.database import Database, open_database
from slopewise.site.storage.tables import Learner, Review

__all__ = ["Database", "Learner", "Review", "open_database"]
