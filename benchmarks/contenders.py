"""Who is measured, in which variants, and which workloads each can express."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import Any

from benchmarks.layers import Conv, Linear, ReLU
from benchmarks.workloads import Workload


@dataclass(frozen=True)
class Variant:
    """One way to use a library: how many threads, and arguments of its `prepare`."""

    threads: int
    options: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        said = [f"{name}={value}" for name, value in self.options.items()]
        return ", ".join([f"{self.threads} thread{'s' * (self.threads > 1)}", *said])


@dataclass(frozen=True)
class Contender:
    """A library in one way of use. Of its variants, the fastest counts.

    Attributes
    ----------
    key : what `PEERS=` calls it
    module : in `benchmarks.peers`
    options : for each argument of `prepare`, the values to try
    """

    key: str
    title: str
    module: str
    options: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    ours: bool = False

    def variants(self, workload: Workload) -> list[Variant]:
        """Return all combinations that make a difference for this workload."""
        options = dict(self.options)
        if self.module.startswith("jax") and workload.has_dropout:
            options["prng"] = ("threefry2x32", "rbg")
        if self.module == "torch_eager" and any(isinstance(layer, Conv) for layer in workload.layers):
            options["channels_last"] = (False, True)
        combinations = [dict(zip(options, values, strict=True)) for values in product(*options.values())]
        return [Variant(threads, chosen) for threads in (1, 2) for chosen in combinations]

    def why_not(self, workload: Workload) -> str:
        """Return why it cannot express a workload; empty if it can."""
        plain = all(isinstance(layer, Linear | ReLU) for layer in workload.layers)
        if self.module == "sklearn_mlp" and not plain:
            return "has only linear layers and ReLU"
        return ""

    def is_alike(self, workload: Workload) -> bool:
        """Whether losses must agree closely: not for masks drawn elsewhere, nor for another last layer."""
        if self.module == "sklearn_mlp" and workload.outputs == 2:
            return False
        return not workload.has_dropout or self.module in ("torch_eager", "skorch_fit")


CONTENDERS = (
    Contender("torch", "PyTorch eager", "torch_eager", {"kernel": ("fused", "foreach")}),
    Contender("skorch", "skorch", "skorch_fit"),
    Contender("keras", "Keras fit on JAX", "keras_fit"),
    Contender("sklearn", "scikit-learn MLP", "sklearn_mlp"),
    Contender("jax-steps", "JAX jit, a step a call", "jax_steps"),
    Contender("jax-scan", "JAX, an epoch as scan", "jax_epochs", {"unroll": (1, 4)}),
    Contender("fit", "Slopewise Trainer.fit", "slopewise_fit", {"gather": (True, False)}, ours=True),
    Contender("steps", "Slopewise compiled step", "slopewise_steps", ours=True),
)
REFERENCE = "torch"
