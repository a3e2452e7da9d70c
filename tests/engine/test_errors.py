"""Error messages: what was expected, what came, and the way out; never a bare message of NumPy."""

import numpy as np
import pytest

import slopewise as sw
from slopewise.engine import ops
from slopewise.engine.errors import (
    ArgumentError,
    DataError,
    DtypeError,
    GradientError,
    RunError,
    ShapeError,
    SlopewiseError,
    TraceError,
)

V2, V3 = sw.tensor([1.0, 2.0]), sw.tensor([1.0, 2.0, 3.0])
M23 = sw.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
TRUTHS = sw.tensor([True, False])


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (ShapeError, ValueError),
        (DtypeError, TypeError),
        (ArgumentError, ValueError),
        (GradientError, RuntimeError),
        (TraceError, RuntimeError),
        (DataError, ValueError),
        (RunError, RuntimeError),
    ],
)
def test_each_error_is_slopewises_and_of_the_kind_that_python_users_expect(error, builtin):
    assert issubclass(error, SlopewiseError)
    assert issubclass(error, builtin)


SHAPES = [
    (
        lambda: V2 + V3,
        r"'add' cannot combine shapes \(2,\) and \(3,\): aligned at the right, each pair of sizes",
    ),
    (lambda: M23 * V2, r"'mul' cannot combine shapes \(2, 3\) and \(2,\)"),
    (lambda: ops.where(TRUTHS, V3, V3), r"'where' cannot combine shapes \(2,\).* \(3,\) and \(3,\)"),
    (lambda: V2 @ V3, r"matmul cannot multiply \(2,\) by \(3,\): the inner sizes differ"),
    (
        lambda: M23 @ M23,
        r"multiply \(2, 3\) by \(2, 3\): the last axis of the first \(3\) must be as long as .* \(2\)",
    ),
    (lambda: V2 @ 3.0, r"matmul needs tensors with at least one axis, not shapes \(2,\) and \(\)"),
    (
        lambda: sw.tensor(np.zeros((2, 3, 4))) @ sw.tensor(np.zeros((3, 4, 2))),
        r"multiply \(2, 3, 4\) by \(3, 4, 2\): before the last two axes, the stacks \(2,\) and \(3,\)",
    ),
    (lambda: V3.reshape(2, 2), r"cannot reshape \(3,\) \(3 elements\) to \(2, 2\) \(4 elements\)"),
    (lambda: V3.reshape(2, -1), r"cannot reshape \(3,\) \(3 elements\) to \(2, -1\)"),
    (lambda: V3.reshape(-1, -1), r"cannot reshape \(3,\) \(3 elements\) to \(-1, -1\)"),
    (lambda: V3.reshape(-3), r"cannot reshape \(3,\) to \(-3,\): sizes are not negative, but for one -1"),
    (lambda: V3.reshape(-3, -1), r"sizes are not negative"),
    (lambda: V3.reshape(1.5), "a shape is an integer or a sequence of integers, not 1.5"),
    (lambda: V3.reshape("ab"), "a shape is an integer or a sequence of integers, not 'ab'"),
    (lambda: V3.reshape((1.5, 2)), r"not \(1.5, 2\)"),
    (
        lambda: ops.concatenate([V2, M23]),
        r"concat along axis 0 needs shapes that agree elsewhere, not \(2,\) and \(2, 3\)",
    ),
    (lambda: ops.concatenate([M23, M23[:, :2]]), r"concat along axis 0 .* not \(2, 3\) and \(2, 2\)"),
    (lambda: ops.stack([V2, V3]), r"stack needs tensors of one shape, not \(2,\) and \(3,\)"),
    (lambda: ops.broadcast_to(V2, (3,)), r"cannot broadcast shape \(2,\) to \(3,\)"),
    (lambda: ops.broadcast_to(M23, (3,)), r"cannot broadcast shape \(2, 3\) to \(3,\)"),
    (lambda: ops.squeeze(M23, 0), r"cannot squeeze axis 0 of shape \(2, 3\): its size is 2, not 1"),
    (lambda: M23.transpose(0, 0), r"transpose needs each of the 2 axes of shape \(2, 3\) once, not \(0, 0\)"),
    (lambda: V2.transpose(1, 0), r"transpose needs each of the 1 axes of shape \(2,\) once, not \(1, 0\)"),
    (lambda: V2.T, r"\.T is for matrices, this tensor has shape \(2,\); use \.mT"),
    (lambda: V2.mT, r"\.mT needs at least two axes, this tensor has shape \(2,\)"),
    (lambda: ops.swapaxes(V2, 0, 1), "'swapaxes': axis 1 does not exist in a tensor with 1 axes"),
    (lambda: ops.expand_dims(V2, 5), "'expand_dims': axis 5 does not exist"),
    (lambda: V2.sum(1), "'sum': axis 1 does not exist in a tensor with 1 axes"),
    (lambda: V2.item(), r"\.item\(\) needs a tensor of one element, this one has shape \(2,\)"),
    (lambda: bool(V2), r"bool\(\) needs a tensor of one element"),
    (lambda: float(V2), r"float\(\) needs a tensor of one element"),
    (
        lambda: ops.linear(V2, M23),
        r"weight \(2, 3\) \(out, in\) needs 3 features in the last axis, not shape \(2,\)",
    ),
    (
        lambda: ops.linear(V3, M23, V3),
        r"weight \(2, 3\) \(out, in\) needs a bias of shape \(2,\), not \(3,\)",
    ),
    (
        lambda: sw.tensor([[1.0], [1.0, 2.0]]),
        r"nested sequences have different lengths; up to there the shape is \(2,\)",
    ),
    (
        lambda: sw.array.linalg.inv(M23),
        r"'inv' needs square matrices in the last two axes, not shape \(2, 3\)",
    ),
    (lambda: sw.array.linalg.solve(M23[:, :2], M23.T), "'solve' cannot combine"),
]


@pytest.mark.parametrize(("call", "message"), SHAPES, ids=range(len(SHAPES)))
def test_shapes_that_do_not_fit_are_named(call, message):
    with pytest.raises(ShapeError, match=message):
        call()


def test_a_failed_change_in_place_leaves_the_tensor_as_it_was():
    x = sw.tensor([1.0, 2.0])
    before = x.tolist()
    with pytest.raises(ShapeError, match=r"cannot combine shapes \(2,\) and \(3,\)"):
        x += V3
    with pytest.raises(ShapeError, match=r"in-place \+= cannot change the shape from \(2,\) to \(1, 2\)"):
        x += sw.tensor([[1.0, 2.0]])
    with pytest.raises(ShapeError, match=r"a value of shape \(3,\) to a place of shape \(2,\)"):
        x[:] = V3
    assert x.tolist() == before


DTYPES = [
    (lambda: ops.where(V2, V2, V2), "'where' needs a boolean condition, not float32"),
    (lambda: TRUTHS + TRUTHS, "'add' needs .*, not bool"),
    (lambda: -TRUTHS, "'neg' needs .*, not bool"),
    (lambda: V2 & V2, "'and' needs .*boolean.*, not float32"),
    (lambda: ~V2, "'invert' needs .*boolean.*, not float32"),
    (lambda: sw.tensor([1j]) < 1, "'lt' needs .*, not complex64"),
    (lambda: TRUTHS.max(), "'max' needs .*, not bool"),
    (
        lambda: sw.tensor(np.array([1], np.uint64)) + sw.tensor([1]),
        "no integer dtype holds both uint64 and int64",
    ),
    (
        lambda: sw.tensor(["a"]),
        "cannot make a tensor of list with dtype <U1; numbers and booleans are expected",
    ),
    (lambda: sw.tensor(None), "cannot make a tensor of NoneType"),
    (lambda: V2 + "a", "cannot make a tensor of str"),
    (lambda: V2 + None, "cannot make a tensor of NoneType"),
    (lambda: sw.tensor([object()]), "cannot make a tensor of list with dtype object"),
    (lambda: sw.tensor(np.array(["2020-01-01"], "M8[D]")), r"dtype datetime64\[D\]"),
    (lambda: sw.tensor([1.0], dtype="foo"), "there is no dtype 'foo'; use one such as 'float32'"),
    (lambda: V2.astype("foo"), "there is no dtype 'foo'"),
    (lambda: V2.astype("M8[D]"), r"a tensor cannot hold datetime64\[D\]"),
    (
        lambda: sw.tensor([1 + 2j]).astype("float32"),
        "complex numbers cannot become float32: take their real part",
    ),
    (lambda: V2[1.0], "an index must be integer or boolean, not float32"),
    (lambda: V2[sw.tensor([0.5])], "an index must be integer or boolean, not float32"),
    (lambda: sw.tensor([1, 2]).__setitem__(0, 1.5), "cannot assign float32 to elements of a int64 tensor"),
    (lambda: sw.tensor([1]).__iadd__(1.5), r"in-place \+= cannot store float32 in a int64 tensor"),
    (
        lambda: sw.tensor([1.0, 2.0], requires_grad=True).astype("int64").requires_grad_(),
        "only real floating",
    ),
]


@pytest.mark.parametrize(("call", "message"), DTYPES, ids=range(len(DTYPES)))
def test_dtypes_that_do_not_fit_are_named(call, message):
    with pytest.raises(DtypeError, match=message):
        call()


INDICES = [
    (lambda: V2[2], "index 2 is out of range for axis 0 of size 2"),
    (lambda: V2[-3], "index -3 is out of range for axis 0 of size 2"),
    (lambda: M23[0, 3], "index 3 is out of range for axis 1 of size 3"),
    (lambda: V2[[0, 7]], "index 7 is out of range for axis 0 of size 2"),
    (lambda: M23[:, sw.tensor([0, -4])], "index -4 is out of range for axis . of size 3"),
    (lambda: M23[[0], [5]], "index 5 is out of range for axis 1 of size 3"),
    (lambda: V2[0, 0], r"too many indices: 2 for a tensor of shape \(2,\)"),
    (lambda: V2[sw.tensor([True, False, True])], r"a mask of shape \(3,\) does not fit .* of shape \(2,\)"),
    (lambda: V2[M23 > 0], r"too many indices: 2 for a tensor of shape \(2,\)"),
]


@pytest.mark.parametrize(("call", "message"), INDICES, ids=range(len(INDICES)))
def test_indices_that_do_not_fit_are_index_errors(call, message):
    with pytest.raises(IndexError, match=message) as caught:
        call()
    assert isinstance(caught.value, SlopewiseError)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: V2[..., ...], r"only one ellipsis"),
        (lambda: V2[::0], "the step of a slice cannot be 0"),
        (lambda: ops.concatenate([]), "concat needs at least one tensor"),
        (lambda: ops.stack([]), "stack needs at least one tensor"),
        (lambda: V2.to_device("gpu"), "device must be 'cpu', not 'gpu'"),
        (
            lambda: sw.array.linalg.cholesky(sw.tensor([[-1.0]])),
            "'cholesky' needs a symmetric positive definite",
        ),
        (lambda: sw.array.linalg.inv(sw.tensor([[0.0]])), "'inv' failed: Singular matrix"),
    ],
)
def test_arguments_that_cannot_be_are_named(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("svd", lambda x: sw.array.linalg.svd(x)[1]),
        ("eigh", lambda x: sw.array.linalg.eigh(x)[0]),
        ("qr", lambda x: sw.array.linalg.qr(x)[1]),
        ("pinv", lambda x: sw.array.linalg.pinv(x)),
    ],
)
def test_what_has_no_gradient_says_so_when_it_is_asked_for_one(name, call):
    matrix = sw.tensor(np.array([[2.0, 1.0], [1.0, 3.0]]))
    assert call(matrix).shape is not None
    with pytest.raises(GradientError, match=rf"'{name}' has no gradient for its operand 0; use \.detach\(\)"):
        sw.grad(lambda x: call(x).sum())(matrix)
    assert sw.grad(lambda x: (call(x.detach()).sum() * x).sum())(matrix).shape == (2, 2)


def test_eager_and_traced_calls_refuse_the_same_things():
    for call, _ in SHAPES + DTYPES:
        kinds = []
        for run in (call, lambda call=call: sw.compile(call)()):
            with pytest.raises(SlopewiseError) as caught:
                run()
            kinds.append(caught.type)
        assert kinds[0] is kinds[1] or TraceError in kinds
