"""The full Pro decks: built into a content archive, and in no package."""
