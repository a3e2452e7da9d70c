"""One folder a lesson; docs/site.md, "Writing a lesson", says what is in it."""
