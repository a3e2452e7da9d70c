"""A folder for each deck."""
