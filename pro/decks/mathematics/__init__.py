"""A Pro deck."""
