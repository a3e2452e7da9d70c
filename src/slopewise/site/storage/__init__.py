"""The database: its tables, its migrations, and how reviews of cards are written and read."""

# Imported so that the one metadata knows the tables of all these files.
from slopewise.site.storage import (
    anki_tables,
    class_tables,
    content_tables,
    dataset_tables,
    job_tables,
    payment_tables,
    service_tables,
    token_tables,
)
from slopewise.site.storage.database import Database, open_database
from slopewise.site.storage.tables import Learner, Review

__all__ = [
    "Database",
    "Learner",
    "Review",
    "anki_tables",
    "class_tables",
    "content_tables",
    "dataset_tables",
    "job_tables",
    "open_database",
    "payment_tables",
    "service_tables",
    "token_tables",
]
