"""The layers that workloads are made of: what each is, how it starts, and nothing of any library.

Names of weights and their layouts are PyTorch's, in the numbering of a `Sequential`. Each peer builds the
layers in its own terms, and `costs` counts what they take.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Shape = tuple[int, ...]  # of one row, without the batch


@dataclass(frozen=True)
class Linear:
    """x Wᵀ + b on the last axis."""

    n_in: int
    n_out: int


@dataclass(frozen=True)
class ReLU:
    """The larger of x and 0."""


@dataclass(frozen=True)
class BatchNorm:
    """Normalisation of each feature over the batch, with running statistics (momentum 0.1, eps 1e-5)."""

    width: int


@dataclass(frozen=True)
class Dropout:
    """Zeroes each element with probability p, and scales the rest by 1 / (1 - p)."""

    p: float


@dataclass(frozen=True)
class Conv:
    """A square kernel of odd size, stride 1, padded so that the image keeps its size."""

    n_in: int
    n_out: int
    size: int


@dataclass(frozen=True)
class MaxPool:
    """The largest of each window of 2 x 2."""


@dataclass(frozen=True)
class Flatten:
    """All axes of a row as one, channels outermost."""


@dataclass(frozen=True)
class Encoder:
    """A transformer's encoder layer: post-norm, ReLU, no dropout, layer norm's eps 1e-5."""

    width: int
    heads: int
    inner: int


@dataclass(frozen=True)
class MeanTokens:
    """The mean over a row's tokens."""


Layer = Linear | ReLU | BatchNorm | Dropout | Conv | MaxPool | Flatten | Encoder | MeanTokens


def output_shape(layer: Layer, shape: Shape) -> Shape:
    """Return the shape of one row after a layer."""
    match layer:
        case Linear():
            return (*shape[:-1], layer.n_out)
        case Conv():
            return (layer.n_out, *shape[1:])
        case MaxPool():
            return (shape[0], shape[1] // 2, shape[2] // 2)
        case Flatten():
            return (int(np.prod(shape)),)
        case MeanTokens():
            return shape[1:]
        case _:
            return shape


def make_weights(layers: tuple[Layer, ...]) -> dict[str, np.ndarray]:
    """Return all initial weights by name, "<layer's number>.<name>", as PyTorch would draw them.

    Products start uniform within 1/√(inputs), normalisations as the identity.
    """
    rng = np.random.default_rng(1)
    weights: dict[str, np.ndarray] = {}

    def uniform(name: str, shape: Shape, fan_in: int) -> None:
        weights[name] = (rng.uniform(-1, 1, shape) / np.sqrt(fan_in)).astype(np.float32)

    def identity(name: str, width: int) -> None:
        weights[f"{name}.weight"] = np.ones(width, np.float32)
        weights[f"{name}.bias"] = np.zeros(width, np.float32)

    def linear(name: str, n_in: int, n_out: int) -> None:
        uniform(f"{name}.weight", (n_out, n_in), n_in)
        uniform(f"{name}.bias", (n_out,), n_in)

    for i, layer in enumerate(layers):
        match layer:
            case Linear(n_in, n_out):
                linear(f"{i}", n_in, n_out)
            case BatchNorm(width):
                identity(f"{i}", width)
            case Conv(n_in, n_out, size):
                uniform(f"{i}.weight", (n_out, n_in, size, size), n_in * size * size)
                uniform(f"{i}.bias", (n_out,), n_in * size * size)
            case Encoder(width, _, inner):
                uniform(f"{i}.self_attn.in_proj_weight", (3 * width, width), width)
                uniform(f"{i}.self_attn.in_proj_bias", (3 * width,), width)
                linear(f"{i}.self_attn.out_proj", width, width)
                linear(f"{i}.linear1", width, inner)
                linear(f"{i}.linear2", inner, width)
                identity(f"{i}.norm1", width)
                identity(f"{i}.norm2", width)
    return weights
