"""Tensor, the table of primitives, the gradient tape, transforms, trace and graph."""

# Tensor's methods and the gradient rules need each other: `tensor` is loaded first, and loads the rest.
from slopewise.engine.tensor import Tensor

# isort: split
from slopewise.engine.creation import tensor

__all__ = ["Tensor", "tensor"]
