"""Packages of Anki, in and out. What comes in is taken for hostile: a process of its own reads it."""
