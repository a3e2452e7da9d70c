"""Data sets that visitors make: files, facts, trainings and reports.

Nothing that a visitor gave is parsed in the server's own process. `work` runs in a limited one
(`labs/alone.py`), and what it answers is what pages show.
"""
