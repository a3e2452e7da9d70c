"""The commands of `slopewise`; thin: parse, call, print."""

from slopewise.cli.app import main

__all__ = ["main"]
