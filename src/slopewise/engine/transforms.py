"""Functions that make functions: gradients, Jacobian products, Jacobians, Hessians; all on one pullback."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from slopewise.engine import ops
from slopewise.engine.aval import aval_of, is_floating
from slopewise.engine.creation import zeros
from slopewise.engine.errors import ArgumentError, DtypeError, GradientError, ShapeError
from slopewise.engine.mode import changed_mode, current_mode, is_grad_enabled
from slopewise.engine.primitive import apply
from slopewise.engine.primitives.elementwise import alias
from slopewise.engine.pullback import pullback
from slopewise.engine.tape import Node, Ref, others_may_differentiate
from slopewise.engine.tensor import Tensor
from slopewise.engine.tree import Structure, flatten, unflatten
from slopewise.engine.vmap import vmap


def mark(tensor: Tensor) -> Tensor:
    """Return the same value under a mark of its own, to which gradients can be asked for."""
    if not is_floating(tensor.dtype):
        raise DtypeError(f"gradients exist only with respect to real floating tensors, not {tensor.dtype}")
    marked: Tensor = apply(alias, tensor)
    if marked.requires_grad:
        return marked
    buffer = marked._ref.buffer
    node = Node(alias, {}, (Ref(aval_of(tensor)),), (buffer,), current_mode().trace)
    return Tensor._from_ref(Ref(buffer, node))


def gradients_of(
    outputs: Sequence[Tensor],
    cotangents: Sequence[Tensor],
    sources: Sequence[Tensor],
    *,
    create_graph: bool | None = None,
    retain_graph: bool = False,
    private: Sequence[Tensor] = (),
) -> list[Tensor]:
    """Return the gradient with respect to each source; zeros where no path leads to it.

    By default the backward pass is recorded just if something tracked was reached besides the sources and
    other `private` marks, so that someone further out may differentiate the result; never inside of no_grad.
    """
    pairs = [
        (output._ref, cotangent)
        for output, cotangent in zip(outputs, cotangents, strict=True)
        if output._ref.node is not None
    ]
    refs = [source._ref for source in sources]
    if create_graph is None:
        create_graph = is_grad_enabled() and others_may_differentiate(
            [ref for ref, _ in pairs] + [c._ref for _, c in pairs],
            refs + [mark._ref for mark in private],
        )
    found = pullback(pairs, refs, create_graph=create_graph, retain_graph=retain_graph or create_graph)
    gradients = []
    for ref in refs:
        assert ref.node is not None
        gradient = found.get((ref.node, ref.index))
        gradients.append(zeros(ref.buffer.shape, ref.buffer.dtype) if gradient is None else gradient)
    return gradients


class _Differentiated:
    """One call of a function on marked arguments."""

    def __init__(
        self,
        name: str,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        argnums: int | Sequence[int],
        has_aux: bool = False,
    ) -> None:
        self.name = name
        self.single = isinstance(argnums, int)
        positions = [argnums] if isinstance(argnums, int) else list(argnums)
        _check_argnums(name, positions, len(args))
        inner = list(args)
        self.sources: list[Tensor] = []
        self.structures: list[tuple[Structure, int]] = []
        for position in positions:
            leaves, structure = flatten(args[position])
            marked = [mark(ops.as_tensor(leaf)) for leaf in leaves]
            self.sources += marked
            self.structures.append((structure, len(marked)))
            inner[position] = unflatten(structure, marked)
        with changed_mode(recording=-1, transform=name):
            result = function(*inner, **kwargs)
        self.aux = None
        if has_aux:
            if not isinstance(result, tuple) or len(result) != 2:
                raise ArgumentError(
                    f"{name}: with has_aux=True the function must return a pair (value, extra)"
                )
            result, aux = result
            self.aux = _unmarked(aux, self.sources)
        self.result = result

    def scalar(self) -> Tensor:
        """Return the result, which must be one number."""
        result = self.result
        if not isinstance(result, Tensor):
            raise GradientError(
                f"{self.name}: the function must return a tensor, not {type(result).__name__}"
            )
        if result.shape != ():
            raise ShapeError(
                f"{self.name}: the function must return one number, not shape {result.shape}; "
                "reduce it, for example with .sum(), or use sw.jacobian"
            )
        if not is_floating(result.dtype):
            raise DtypeError(
                f"{self.name}: the function must return a real floating number, not {result.dtype}"
            )
        return result

    def arranged(self, gradients: Sequence[Tensor]) -> Any:
        """Give gradients the structure of the arguments they belong to."""
        parts = []
        start = 0
        for structure, count in self.structures:
            parts.append(unflatten(structure, gradients[start : start + count]))
            start += count
        return parts[0] if self.single else tuple(parts)

    def value(self) -> Any:
        """Return the result without the marks, still differentiable by what is tracked further out."""
        return _unmarked(self.result, self.sources)


def _check_argnums(name: str, positions: Sequence[int], count: int) -> None:
    for position in positions:
        if not -count <= position < count:
            raise ArgumentError(f"{name}: there is no argument {position}, only {count} came")
    normal = [position % count for position in positions]
    for position in normal:
        if normal.count(position) > 1:
            raise ArgumentError(f"{name}: argnums {tuple(positions)} names argument {position} twice")


def _unmarked(tree: Any, sources: Sequence[Tensor]) -> Any:
    """Return tensors without the marks, unless someone further out may differentiate through them."""
    leaves, structure = flatten(tree)
    tensors = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
    if is_grad_enabled() and others_may_differentiate(
        [tensor._ref for tensor in tensors], [source._ref for source in sources]
    ):
        return tree
    return unflatten(
        structure, [Tensor._from_ref(Ref(x._ref.buffer)) if isinstance(x, Tensor) else x for x in leaves]
    )


def as_cotangent(value: Any, output: Tensor, name: str) -> Tensor:
    """Return the cotangent that someone gave for a result, in the result's dtype."""
    cotangent = ops.as_tensor(value)
    if cotangent.shape != output.shape:
        raise ShapeError(f"{name} has shape {cotangent.shape}, but the result has shape {output.shape}")
    return ops.astype(cotangent, output.dtype)


def value_and_grad(
    function: Callable[..., Any], argnums: int | Sequence[int] = 0, *, has_aux: bool = False
) -> Callable[..., Any]:
    """Return a function that computes (value, gradient) of a function which returns one number.

    Parameters
    ----------
    function : returns a tensor of shape (), or with `has_aux` a pair of it and anything
    argnums : which positional arguments to differentiate with respect to; each may nest tensors in lists,
        tuples and dicts
    has_aux : whether the function returns something beside the value, which is handed on

    Examples
    --------
    >>> import slopewise as sw
    >>> value, gradient = sw.value_and_grad(lambda w: (w * w).sum())(sw.tensor([1.0, 2.0]))
    >>> value, gradient
    (tensor(5.), tensor([2., 4.]))
    """

    @wraps(function)
    def differentiated(*args: Any, **kwargs: Any) -> Any:
        call = _Differentiated("sw.grad", function, args, kwargs, argnums, has_aux)
        result = call.scalar()
        value = call.value()
        seed = ops.ones((), result.dtype)
        gradients = call.arranged(gradients_of([result], [seed], call.sources))
        return ((value, call.aux), gradients) if has_aux else (value, gradients)

    return differentiated


def grad(
    function: Callable[..., Any], argnums: int | Sequence[int] = 0, *, has_aux: bool = False
) -> Callable[..., Any]:
    """Return a function that computes the gradient of a function which returns one number.

    Parameters
    ----------
    function, argnums, has_aux : as in `value_and_grad`

    Returns
    -------
    callable : same arguments; returns the gradient, shaped as the argument, or with `has_aux` (gradient,
        extra)

    Examples
    --------
    >>> import slopewise as sw
    >>> square = lambda w: w * w
    >>> sw.grad(square)(sw.tensor(3.0))
    tensor(6.)
    >>> sw.grad(sw.grad(square))(sw.tensor(3.0))
    tensor(2.)
    """
    both = value_and_grad(function, argnums, has_aux=has_aux)

    @wraps(function)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, gradients = both(*args, **kwargs)
        return (gradients, value[1]) if has_aux else gradients

    return gradient


def vjp(function: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """Return the value of a function and its pullback: a cotangent times the Jacobian, from the left.

    Returns
    -------
    value : what the function returns
    pull : takes a cotangent of the value's structure, returns a gradient per argument; may be called many
        times

    Examples
    --------
    >>> import slopewise as sw
    >>> value, pull = sw.vjp(lambda x: x * x, sw.tensor([1.0, 2.0]))
    >>> pull(sw.tensor([1.0, 10.0]))
    (tensor([ 2., 40.]),)
    """
    call = _Differentiated("sw.vjp", function, primals, {}, tuple(range(len(primals))))
    outputs, structure = flatten(call.result)
    outputs = [ops.as_tensor(output) for output in outputs]

    def pull(cotangent: Any, *, create_graph: bool | None = None) -> tuple[Any, ...]:
        cotangents, cotangent_structure = flatten(cotangent)
        if cotangent_structure != structure:
            raise ArgumentError("the cotangent of sw.vjp must have the structure of the function's result")
        cotangents = [
            as_cotangent(value, output, "the cotangent")
            for output, value in zip(outputs, cotangents, strict=True)
        ]
        gradients = gradients_of(
            outputs, cotangents, call.sources, create_graph=create_graph, retain_graph=True
        )
        return tuple(call.arranged(gradients))

    return call.value(), pull


def jvp(function: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """Return the value of a function and its derivative along a direction: the Jacobian times the tangents.

    Computed as the vjp of the vjp, which is linear in its cotangent.

    Parameters
    ----------
    primals : the arguments
    tangents : the direction, of the arguments' structure and shapes

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.jvp(lambda x: x * x, (sw.tensor([1.0, 2.0]),), (sw.tensor([1.0, 1.0]),))
    (tensor([1., 4.]), tensor([2., 4.]))
    """
    if not (isinstance(primals, tuple | list) and isinstance(tangents, tuple | list)):
        raise ArgumentError("sw.jvp takes primals and tangents as tuples with an entry for each argument")
    primal_leaves, primal_structure = flatten(tuple(primals))
    tangent_leaves, tangent_structure = flatten(tuple(tangents))
    if primal_structure != tangent_structure:
        raise ArgumentError("sw.jvp: primals and tangents must have the same structure")
    primal_leaves = [ops.as_tensor(leaf) for leaf in primal_leaves]
    tangent_leaves = [ops.as_tensor(leaf) for leaf in tangent_leaves]
    for primal, tangent in zip(primal_leaves, tangent_leaves, strict=True):
        if primal.shape != tangent.shape:
            raise ShapeError(
                f"sw.jvp: a tangent has shape {tangent.shape}, but its primal has shape {primal.shape}"
            )
    args = unflatten(primal_structure, primal_leaves)
    call = _Differentiated("sw.jvp", function, args, {}, tuple(range(len(args))))
    outputs, structure = flatten(call.result)
    outputs = [ops.as_tensor(output) for output in outputs]
    with changed_mode(recording=-1):
        dummies = [mark(zeros(output.shape, output.dtype)) for output in outputs]
        pulled = gradients_of(outputs, dummies, call.sources, create_graph=True)
    result = gradients_of(pulled, tangent_leaves, dummies, private=call.sources)
    return call.value(), unflatten(structure, result)


def _basis(shape: tuple[int, ...], dtype: Any) -> Tensor:
    size = 1
    for length in shape:
        size *= length
    return ops.eye(size, dtype).reshape((size, *shape))


def jacobian(function: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """Return a function that computes the Jacobian: all derivatives of all outputs.

    Returns
    -------
    callable : returns, for each output tensor and each argument, a tensor of shape (*output.shape,
        *argument.shape)

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.jacobian(lambda x: x * x)(sw.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """

    @wraps(function)
    def all_derivatives(*args: Any, **kwargs: Any) -> Any:
        call = _Differentiated("sw.jacobian", function, args, kwargs, argnums)
        outputs, structure = flatten(call.result)
        blocks = []
        for output in map(ops.as_tensor, outputs):

            def pull(cotangent: Tensor, output: Tensor = output) -> list[Tensor]:
                return gradients_of([output], [cotangent], call.sources, retain_graph=True)

            if output.size:
                rows = vmap(pull)(_basis(output.shape, output.dtype))
            else:
                rows = [zeros((0, *source.shape), source.dtype) for source in call.sources]
            blocks.append(call.arranged([row.reshape(output.shape + row.shape[1:]) for row in rows]))
        return unflatten(structure, blocks)

    return all_derivatives


def hessian(function: Callable[..., Any], argnums: int = 0) -> Callable[..., Any]:
    """Return a function that computes the second derivatives of a function which returns one number.

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.hessian(lambda x: (x * x * x).sum())(sw.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacobian(grad(function, argnums), argnums)
