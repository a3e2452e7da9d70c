"""grad, value_and_grad, vjp, jvp, jacobian and hessian: what each gives, and what it says when it cannot."""

import numpy as np
import pytest

import slopewise as sw
from slopewise.engine import ops
from slopewise.engine.errors import ArgumentError, DtypeError, GradientError, ShapeError

W = sw.tensor(np.array([[1.0, -2.0, 0.5], [0.25, 1.5, -1.0]]))


def vector(*values):
    return sw.tensor(np.array(values))


def squares(x):
    return (x * x).sum()


# ---- grad and value_and_grad


def test_grad_takes_one_argument_or_several():
    def product(a, b):
        return (a * b).sum()

    a, b = vector(1.0, 2.0), vector(3.0, 4.0)
    assert sw.grad(product)(a, b).tolist() == [3.0, 4.0]
    assert sw.grad(product, argnums=1)(a, b).tolist() == [1.0, 2.0]
    assert sw.grad(product, argnums=-1)(a, b).tolist() == [1.0, 2.0]
    both = sw.grad(product, argnums=(1, 0))(a, b)
    assert isinstance(both, tuple)
    assert [g.tolist() for g in both] == [[1.0, 2.0], [3.0, 4.0]]
    only = sw.grad(product, argnums=(0,))(a, b)
    assert isinstance(only, tuple)
    assert len(only) == 1


def test_gradients_have_the_structure_of_the_argument():
    def loss(parameters, x):
        hidden = x @ parameters["layers"][0] + parameters["bias"]
        return (hidden * parameters["layers"][1]).sum()

    parameters = {"layers": [vector(1.0, 2.0), (vector(3.0))], "bias": vector(0.5)}
    gradients = sw.grad(loss)(parameters, sw.tensor(np.ones((4, 2))))
    assert set(gradients) == {"layers", "bias"}
    assert isinstance(gradients["layers"], list)
    assert gradients["layers"][0].tolist() == [12.0, 12.0]
    assert gradients["bias"].tolist() == [12.0]


def test_value_and_grad_gives_both_and_the_value_is_not_tracked():
    value, gradient = sw.value_and_grad(squares)(vector(1.0, 2.0))
    assert (value.item(), gradient.tolist()) == (5.0, [2.0, 4.0])
    assert not value.requires_grad
    assert not gradient.requires_grad


def test_keyword_arguments_are_handed_on():
    def scaled(x, *, scale):
        return (x * scale).sum()

    assert sw.grad(scaled)(vector(1.0, 2.0), scale=3.0).tolist() == [3.0, 3.0]


def test_what_the_function_returns_beside_the_value_is_handed_on():
    def loss(x):
        doubled = x * 2.0
        return squares(doubled), {"doubled": doubled, "note": "a string"}

    gradient, extra = sw.grad(loss, has_aux=True)(vector(1.0))
    assert gradient.tolist() == [8.0]
    assert extra["doubled"].tolist() == [2.0]
    assert extra["note"] == "a string"
    assert not extra["doubled"].requires_grad
    (value, extra), gradient = sw.value_and_grad(loss, has_aux=True)(vector(1.0))
    assert (value.item(), gradient.tolist()) == (4.0, [8.0])


def test_what_is_handed_on_beside_the_value_can_be_differentiated_further_out():
    def inner(y, x):
        return (y * x).sum(), squares(x)

    def outer(x):
        return sw.grad(inner, has_aux=True)(vector(1.0), x)[1]

    assert sw.grad(outer)(vector(3.0)).tolist() == [6.0]


def test_numpy_arrays_and_numbers_are_taken_as_arguments():
    assert sw.grad(squares)(np.array([1.0, 2.0])).tolist() == [2.0, 4.0]
    assert sw.grad(lambda x: x * x)(3.0).item() == 6.0


def test_a_leaf_that_requires_a_gradient_is_left_alone():
    w = sw.tensor([1.0, 2.0], requires_grad=True)
    gradient = sw.grad(squares)(w)
    assert gradient.tolist() == [2.0, 4.0]
    assert w.grad is None
    assert w.is_leaf


def test_the_gradient_can_be_differentiated_by_what_it_depends_on_besides():
    w = sw.tensor([3.0], requires_grad=True)
    gradient = sw.grad(lambda x: (x * x * w).sum())(sw.tensor([2.0]))
    gradient.sum().backward()
    assert w.grad.tolist() == [4.0]


def test_inside_no_grad_the_result_is_not_tracked():
    w = sw.tensor([3.0], requires_grad=True)
    with sw.no_grad():
        value, gradient = sw.value_and_grad(lambda x: (x * x * w).sum())(sw.tensor([2.0]))
    assert gradient.tolist() == [12.0]
    assert not gradient.requires_grad
    assert not value.requires_grad


def test_no_grad_inside_the_function_makes_constants():
    def function(x):
        with sw.no_grad():
            frozen = x * x
        return (frozen * x).sum()

    assert sw.grad(function)(vector(3.0)).tolist() == [9.0]


def test_enable_grad_inside_of_no_grad_records_again():
    def function(x):
        with sw.no_grad():
            constant = x * 2.0
            with sw.enable_grad():
                tracked = x * x
        return (tracked * constant).sum()

    assert sw.grad(function)(vector(3.0)).tolist() == [36.0]


def test_a_constant_computed_on_a_tape_that_was_freed_stays_usable():
    w = sw.tensor([2.0], requires_grad=True)
    known = w * w
    known.sum().backward()
    assert sw.grad(lambda x: (x * known).sum())(sw.tensor([5.0])).tolist() == [4.0]


@pytest.mark.parametrize("make", [sw.grad, sw.value_and_grad])
def test_the_function_must_return_one_real_number(make):
    x = vector(1.0, 2.0)
    with pytest.raises(ShapeError, match=r"must return one number, not shape \(2,\); reduce it.*sum\(\)"):
        make(lambda x: x * x)(x)
    with pytest.raises(GradientError, match="must return a tensor, not float"):
        make(lambda x: 3.0)(x)
    with pytest.raises(GradientError, match="must return a tensor, not tuple"):
        make(lambda x: (x.sum(), x))(x)
    with pytest.raises(DtypeError, match="must return a real floating number, not int64"):
        make(lambda x: x.sum().astype("int64"))(x)


@pytest.mark.parametrize(
    ("argnums", "message"),
    [
        (1, "there is no argument 1, only 1 came"),
        (-2, "there is no argument -2"),
        ((0, 0), "names argument 0 twice"),
        ((0, -1), "names argument 0 twice"),
    ],
)
def test_argnums_must_name_arguments(argnums, message):
    with pytest.raises(ArgumentError, match=f"sw.grad: .*{message}"):
        sw.grad(squares, argnums=argnums)(vector(1.0))


def test_has_aux_wants_a_pair():
    with pytest.raises(ArgumentError, match="must return a pair"):
        sw.grad(squares, has_aux=True)(vector(1.0))


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda f, x: sw.grad(f)(x), "sw.grad"),
        (lambda f, x: sw.vjp(f, x), "sw.vjp"),
        (lambda f, x: sw.jvp(f, (x,), (x,)), "sw.jvp"),
        (lambda f, x: sw.jacobian(f)(x), "sw.jacobian"),
    ],
)
def test_backward_inside_of_a_transform_is_an_error_and_changes_nothing(call, name):
    w = sw.tensor([2.0], requires_grad=True)

    def function(x):
        loss = (x * w).sum()
        loss.backward()
        return loss

    with pytest.raises(GradientError, match=rf"backward\(\) cannot be called inside of {name}"):
        call(function, sw.tensor([1.0]))
    assert w.grad is None
    (w * 3.0).sum().backward()
    assert w.grad.tolist() == [3.0]


def test_an_error_in_the_function_leaves_the_mode_as_it_was():
    def broken(x):
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        sw.grad(broken)(vector(1.0))
    assert sw.is_grad_enabled()
    squares(sw.tensor([1.0], requires_grad=True)).backward()


# ---- vjp and jvp


def test_vjp_pulls_back_any_number_of_cotangents():
    value, pull = sw.vjp(lambda x: W @ x, vector(1.0, 2.0, 3.0))
    assert value.tolist() == (W.numpy() @ [1.0, 2.0, 3.0]).tolist()
    for row in range(2):
        (gradient,) = pull(vector(*np.eye(2)[row]))
        assert gradient.tolist() == W.numpy()[row].tolist()


def test_vjp_takes_structured_results_and_cotangents_of_that_structure():
    def function(x, y):
        return {"sum": x + y, "list": [x * y]}

    value, pull = sw.vjp(function, vector(2.0), vector(5.0))
    assert value["list"][0].tolist() == [10.0]
    gradients = pull({"sum": vector(1.0), "list": [vector(10.0)]})
    assert [g.tolist() for g in gradients] == [[51.0], [21.0]]


def test_a_cotangent_may_be_an_array_or_a_number_and_is_given_the_results_dtype():
    _, pull = sw.vjp(lambda x: x.sum(), sw.tensor([1.0, 2.0]))
    assert pull(2.0)[0].tolist() == [2.0, 2.0]
    (gradient,) = pull(np.asarray(3.0))
    assert gradient.tolist() == [3.0, 3.0]
    assert gradient.dtype == np.float32


def test_a_cotangent_of_another_shape_or_structure_is_an_error():
    _, pull = sw.vjp(squares, vector(1.0, 2.0))
    with pytest.raises(ShapeError, match=r"cotangent has shape \(2,\), but the result has shape \(\)"):
        pull(vector(1.0, 1.0))
    with pytest.raises(ArgumentError, match="structure of the function's result"):
        pull((vector(1.0), vector(1.0)))


def test_jvp_is_the_jacobian_times_the_tangents():
    value, tangent = sw.jvp(lambda x: ops.sin(W @ x), (vector(1.0, 2.0, 3.0),), (vector(1.0, 0.0, -1.0),))
    inner = W.numpy() @ [1.0, 2.0, 3.0]
    np.testing.assert_allclose(value.numpy(), np.sin(inner))
    np.testing.assert_allclose(tangent.numpy(), np.cos(inner) * (W.numpy() @ [1.0, 0.0, -1.0]))


def test_jvp_adds_up_the_tangents_of_all_arguments():
    _, tangent = sw.jvp(lambda a, b: a * b, (vector(2.0), vector(5.0)), (vector(1.0), vector(10.0)))
    assert tangent.tolist() == [25.0]


def test_jvp_wants_tangents_like_the_primals():
    with pytest.raises(ArgumentError, match="same structure"):
        sw.jvp(squares, (vector(1.0),), (vector(1.0), vector(1.0)))
    with pytest.raises(ShapeError, match=r"a tangent has shape \(2,\), but its primal has shape \(1,\)"):
        sw.jvp(squares, (vector(1.0),), (vector(1.0, 2.0),))


def test_jvp_and_vjp_agree_as_inner_products():
    x, v, u = vector(0.3, -0.7, 1.1), vector(1.0, 2.0, -0.5), vector(0.25, -4.0)

    def function(x):
        return ops.tanh(W @ (x * x))

    _, forward = sw.jvp(function, (x,), (v,))
    (reverse,) = sw.vjp(function, x)[1](u)
    assert (u * forward).sum().item() == pytest.approx((v * reverse).sum().item(), rel=1e-14)


def test_the_value_of_vjp_and_jvp_is_not_tracked():
    value, _ = sw.vjp(squares, vector(1.0))
    assert not value.requires_grad
    value, tangent = sw.jvp(squares, (vector(1.0),), (vector(1.0),))
    assert not value.requires_grad
    assert not tangent.requires_grad


# ---- jacobian and hessian


def test_the_jacobian_has_the_shape_of_the_result_then_of_the_argument():
    x = sw.tensor(np.arange(6.0).reshape(2, 3))
    jacobian = sw.jacobian(lambda x: (x * x).sum(1))(x)
    assert jacobian.shape == (2, 2, 3)
    expected = np.zeros((2, 2, 3))
    expected[0, 0], expected[1, 1] = 2 * x.numpy()
    assert jacobian.tolist() == expected.tolist()


def test_the_jacobian_of_several_results_by_several_arguments():
    def function(a, b):
        return {"product": a * b, "sum": a.sum() + b.sum()}

    result = sw.jacobian(function, argnums=(0, 1))(vector(2.0, 3.0), vector(5.0, 7.0))
    assert [j.tolist() for j in result["product"]] == [[[5.0, 0.0], [0.0, 7.0]], [[2.0, 0.0], [0.0, 3.0]]]
    assert [j.tolist() for j in result["sum"]] == [[1.0, 1.0], [1.0, 1.0]]


@pytest.mark.parametrize("shape", [(0,), (3, 0)])
def test_the_jacobian_of_and_by_nothing(shape):
    x = sw.tensor(np.zeros(shape))
    assert sw.jacobian(lambda x: x * 2.0)(x).shape == shape + shape
    assert sw.jacobian(lambda x: x.sum())(x).shape == shape


def test_the_jacobian_of_a_constant_is_zero():
    assert sw.jacobian(lambda x: sw.tensor(np.ones(2)))(vector(1.0)).tolist() == [[0.0], [0.0]]


def test_the_hessian_of_a_quadratic_form_is_its_matrix():
    matrix = np.array([[2.0, 1.0, 0.0], [1.0, 3.0, -1.0], [0.0, -1.0, 4.0]])
    hessian = sw.hessian(lambda x: 0.5 * (x @ (sw.tensor(matrix) @ x)))(vector(1.0, -2.0, 0.5))
    np.testing.assert_allclose(hessian.numpy(), matrix, atol=1e-15)


def test_the_hessian_by_several_arguments_is_a_block_each():
    def function(a, b):
        return (a * a * b).sum()

    blocks = sw.hessian(function, argnums=(0, 1))(vector(2.0), vector(5.0))
    assert [[block.item() for block in row] for row in blocks] == [[10.0, 4.0], [4.0, 0.0]]


def test_the_hessian_of_a_matrix_argument():
    x = sw.tensor(np.arange(4.0).reshape(2, 2))
    hessian = sw.hessian(lambda x: (x**3).sum())(x)
    assert hessian.shape == (2, 2, 2, 2)
    assert hessian.numpy().reshape(4, 4).tolist() == np.diag(6 * np.arange(4.0)).tolist()


# ---- check_gradients


def test_check_gradients_finds_a_wrong_gradient_and_shows_the_numbers():
    @sw.custom_gradient
    def wrong(x):
        return x * x, lambda g: g * 3.0 * x

    with pytest.raises(GradientError, match=r"order 1 disagree: finite differences .*, reverse .*, forward"):
        sw.check_gradients(wrong, vector(1.0, 2.0))


def test_check_gradients_finds_a_wrong_second_derivative():
    @sw.custom_gradient
    def wrong(x):
        return x * x * x, lambda g: g * 3.0 * x * x.detach()

    with pytest.raises(GradientError, match="order 2"):
        sw.check_gradients(wrong, vector(1.0, 2.0))
    sw.check_gradients(wrong, vector(1.0, 2.0), order=1)


def test_check_gradients_takes_structures_integers_and_several_results():
    def function(parameters, index):
        return parameters["a"][index] * 2.0, {"b": parameters["b"].sum(), "count": index.sum()}

    sw.check_gradients(
        function, {"a": sw.tensor([1.0, 2.0]), "b": vector(3.0)}, sw.tensor([0, 0, 1]), order=3
    )


def test_check_gradients_of_nothing_is_an_error():
    with pytest.raises(ArgumentError, match="no argument is a real floating tensor"):
        sw.check_gradients(lambda n: n * 2, sw.tensor([1, 2]))
    with pytest.raises(ArgumentError, match="no result is a real floating tensor"):
        sw.check_gradients(lambda x: x > 0, vector(1.0))


def test_jvp_wants_tuples():
    with pytest.raises(ArgumentError, match="as tuples with an entry for each argument"):
        sw.jvp(squares, vector(1.0), vector(1.0))
