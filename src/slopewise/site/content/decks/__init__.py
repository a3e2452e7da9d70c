"""The Pro decks that the package ships, a folder each."""
