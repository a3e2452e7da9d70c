"""Elementwise primitives and mathematical functions as instructions on registers."""
