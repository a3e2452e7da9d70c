"""The playground: a network of one's own, trained update by update on the engine."""
