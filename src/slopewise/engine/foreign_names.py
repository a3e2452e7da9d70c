"""What users of PyTorch, NumPy and JAX type, and what it is called here: the way out of an AttributeError."""

from __future__ import annotations

from collections.abc import Collection

_DEVICES = "leave it out: there is one device, the CPU"
_NO_COPY = "none is needed, since a value never changes: x.detach() gives one without a gradient"
_DRAW = "which sw.manual_seed seeds"

# name -> what to write; for a function of the package
FUNCTIONS = {
    "as_tensor": "sw.asarray",
    "autograd": "sw.grad, sw.vjp or sw.GradientTape",
    "bmm": "sw.matmul",
    "cat": "sw.concat",
    "clamp": "sw.clip",
    "concatenate": "sw.concat",
    "cuda": _DEVICES,
    "cumsum": "sw.cumulative_sum",
    "DataLoader": "sw.data.DataLoader",
    "device": _DEVICES,
    "dot": "x @ y or sw.linalg.vecdot",
    "flatten": "x.reshape(-1)",
    "from_numpy": "sw.asarray",
    "functional": "sw.nn for activations, sw.losses for losses",
    "inference_mode": "sw.no_grad",
    "jit": "sw.compile",
    "mm": "sw.matmul",
    "norm": "sw.linalg.vector_norm or sw.linalg.matrix_norm",
    "normal": f"sw.nn.initializers.normal(shape, mean, std), {_DRAW}",
    "permute": "sw.permute_dims",
    "power": "sw.pow",
    "rand": f"sw.nn.initializers.uniform((3, 4)), {_DRAW}",
    "randint": "sw.tensor(np.random.default_rng(0).integers(low, high, size))",
    "randn": f"sw.nn.initializers.normal((3, 4)), {_DRAW}",
    "random": f"sw.nn.initializers.normal or uniform, {_DRAW}",
    "set_grad_enabled": "sw.no_grad or sw.enable_grad",
    "transpose": "sw.permute_dims, sw.swapaxes or x.T",
    "unsqueeze": "sw.expand_dims",
    "utils": "sw.data for data, sw.optim for clipping gradients",
}

# the same, for names of its modules
IN_NN = {
    "BCELoss": "sw.nn.BCEWithLogitsLoss on the logits, without a sigmoid before it",
    "NLLLoss": "sw.nn.CrossEntropyLoss on the logits, without a softmax before it",
    "SmoothL1Loss": "sw.nn.HuberLoss",
    "functional": "sw.nn for activations, sw.losses for losses",
    "init": "sw.nn.initializers, which take a shape and return a tensor",
    "utils": "sw.optim.clip_grad_norm or sw.optim.clip_grad_value",
}
IN_OPTIM = {
    "lr_scheduler": "sw.optim.schedules: a schedule is given as the learning rate, lr=CosineDecay(0.1, 100)",
}

# name -> what to write; for a method or attribute of a tensor
METHODS = {
    "add_": "x += y",
    "bool": "x.astype(bool)",
    "clamp": "sw.clip(x, low, high)",
    "clone": _NO_COPY,
    "copy": _NO_COPY,
    "cpu": _DEVICES,
    "cuda": _DEVICES,
    "data": "x.detach()",
    "dim": "x.ndim",
    "double": "x.astype('float64')",
    "fill_": "x.copy_(value) inside of sw.no_grad()",
    "flatten": "x.reshape(-1)",
    "float": "x.astype('float32')",
    "grad_fn": "sw.read_tape(x)",
    "int": "x.astype('int32')",
    "long": "x.astype('int64')",
    "matmul": "x @ y",
    "mm": "x @ y",
    "mul_": "x *= y",
    "norm": "sw.linalg.vector_norm(x)",
    "numel": "x.size",
    "permute": "x.transpose(...)",
    "ravel": "x.reshape(-1)",
    "retain_grad": "sw.GradientTape and tape.gradient(loss, x)",
    "sub_": "x -= y",
    "t": "x.T",
    "to": "x.astype(dtype); there is one device, the CPU",
    "type": "x.astype(dtype) or x.dtype",
    "unsqueeze": "sw.expand_dims(x, axis)",
    "view": "x.reshape(...)",
    "zero_": "x.copy_(0.0) inside of sw.no_grad(), or x.grad = None",
}


def missing(module: str, name: str) -> AttributeError:
    """Return the error for a name that `slopewise`, `slopewise.nn` or `slopewise.optim` does not have.

    Examples
    --------
    >>> print(missing("slopewise", "cat"))
    module 'slopewise' has no attribute 'cat'; use sw.concat
    """
    table = {"slopewise.nn": IN_NN, "slopewise.optim": IN_OPTIM}.get(module, FUNCTIONS)
    way_out = _way_out(table.get(name))
    return AttributeError(f"module '{module}' has no attribute '{name}'{way_out}", name=name)


def in_tensor(name: str, exported: Collection[str]) -> str:
    """Return what follows on a message that a tensor has no such attribute: the way out, or "".

    Parameters
    ----------
    exported : names of the package

    Examples
    --------
    >>> in_tensor("view", []), in_tensor("exp", ["exp"])
    ('; use x.reshape(...)', '; use sw.exp(x)')
    """
    return _way_out(METHODS.get(name) or (f"sw.{name}(x)" if name in exported else None))


def _way_out(advice: str | None) -> str:
    if advice is None:
        return ""
    return f"; {advice}" if advice in (_DEVICES, _NO_COPY) else f"; use {advice}"
