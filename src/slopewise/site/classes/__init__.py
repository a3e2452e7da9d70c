"""Classes: a teacher, members who say what they share, and what is assigned. Knows nothing of HTTP."""
