"""Computes the formulas that lessons show from their LaTeX, and knows what stands in each of them."""
