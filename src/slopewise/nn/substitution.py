"""A module as a function of its parameters, for transforms such as `grad`, `hessian` and `vmap`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slopewise.engine import ops
from slopewise.engine.errors import ArgumentError, DtypeError, ShapeError
from slopewise.engine.tensor import Tensor
from slopewise.nn.module import Module


def functional_call(module: Module, values: Mapping[str, Any], *args: Any, **kwargs: Any) -> Any:
    """Call a module with other values in place of some of its parameters and buffers, which stay as they are.

    Gradients go to the given values. What the call writes into a substituted buffer is dropped. Do not call
    the same module in another thread meanwhile.

    Parameters
    ----------
    module : Module
    values : tensors by the paths of the state dict; those that are left out keep their own values
    *args, **kwargs : arguments of the module

    Raises
    ------
    ArgumentError
        If a name is not one of the module's; the message lists those.
    ShapeError, DtypeError
        If a value has another shape or dtype than what it stands for.

    Notes
    -----
    The name and the meaning are those of PyTorch's `torch.func.functional_call`.

    Examples
    --------
    >>> import slopewise as sw
    >>> layer = sw.nn.Linear(2, 1, bias=False)
    >>> x = sw.tensor([[3.0, 4.0]])
    >>> loss = lambda w: sw.nn.functional_call(layer, {"weight": w}, x).sum()
    >>> sw.grad(loss)(sw.tensor([[1.0, 1.0]]))
    tensor([[3., 4.]])
    """
    targets = {
        **dict(module.named_parameters()),
        **dict(module.named_buffers()),
        **dict(module._named_state()),
    }
    unknown = [name for name in values if name not in targets]
    if unknown:
        raise ArgumentError(
            f"{type(module).__name__} has no {', '.join(map(repr, unknown))}; it has {', '.join(targets)}"
        )
    # Under an alias, so that a trace sees the value as its own, and does not take it for the parameter's.
    given = {name: ops.positive(value) for name, value in values.items()}
    for name, value in given.items():
        _check_alike(name, targets[name], value)
    before = [(targets[name], targets[name]._ref) for name in given]
    try:
        for name, value in given.items():
            targets[name]._ref = value._ref
        return module(*args, **kwargs)
    finally:
        for tensor, ref in before:
            tensor._ref = ref


def _check_alike(name: str, target: Tensor, value: Tensor) -> None:
    if value.shape != target.shape:
        raise ShapeError(f"'{name}' has shape {target.shape}, the value in its place {value.shape}")
    if value.dtype != target.dtype:
        raise DtypeError(f"'{name}' is {target.dtype}, the value in its place {value.dtype}")
