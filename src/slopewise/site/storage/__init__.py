"""The database: its tables, its migrations, and how reviews of cards are written and read."""

from slopewise.site.storage import (  # of the same metadata
    class_tables,
    content_tables,
    dataset_tables,
    service_tables,
)
from slopewise.site.storage.database import Database, open_database
from slopewise.site.storage.tables import Learner, Review

__all__ = [
    "Database",
    "Learner",
    "Review",
    "class_tables",
    "content_tables",
    "dataset_tables",
    "open_database",
    "service_tables",
]
