"""What home-made gradients get wrong: forty-five cases, each a test or several, numbered.

Cases of modules and losses are held here in engine functions and on one module each; more is under tests/nn.
"""

import math

import numpy as np
import pytest

import slopewise as sw
from slopewise.engine import ops
from slopewise.engine.errors import ArgumentError, DtypeError, GradientError, ShapeError
from slopewise.engine.primitive import apply
from slopewise.engine.primitives.convolution import conv, windows
from slopewise.engine.primitives.host import argsort, slogdet
from slopewise.engine.primitives.indexed import scatter
from slopewise.engine.primitives.randomness import random_bits

F32, F64 = np.dtype(np.float32), np.dtype(np.float64)


def gradient(function, *values, argnums=0):
    """Return the gradient of the sum of what a function returns, in float64."""
    tensors = [v if isinstance(v, sw.Tensor) else sw.tensor(np.asarray(v, np.float64)) for v in values]
    result = sw.grad(lambda *xs: function(*xs).sum(), argnums=argnums)(*tensors)
    return result if isinstance(result, tuple) else result.tolist()


def weighted(y):
    """Return y with a different weight at each place, so that mixed-up places are seen."""
    return y * sw.tensor(np.arange(1.0, y.size + 1).reshape(y.shape))


# ---- 1 to 3: broadcasting


def test_case_01_a_gradient_is_summed_over_leading_axes_that_broadcasting_added():
    assert gradient(lambda b, x: weighted(x + b), [0.0, 0.0, 0.0], np.zeros((2, 3))) == [5.0, 7.0, 9.0]
    assert gradient(lambda b, x: b * x, [1.0, 1.0], [[1.0, 2.0], [3.0, 4.0]]) == [4.0, 6.0]


def test_case_02_a_gradient_is_summed_over_axes_of_size_one_that_were_stretched():
    assert gradient(lambda b, x: weighted(x + b), [[0.0], [0.0]], np.zeros((2, 3))) == [[6.0], [15.0]]
    assert gradient(lambda b, x: b * x, np.ones((1, 1, 2)), np.ones((3, 4, 2))) == [[[12.0, 12.0]]]


def test_case_02_a_size_one_axis_that_meets_another_is_not_summed():
    assert gradient(lambda a, b: a * b, np.ones((1, 2)), np.full((1, 2), 3.0)) == [[3.0, 3.0]]


def test_case_03_an_operand_without_axes_gets_a_gradient_without_axes():
    assert gradient(lambda a, x: a * x, 2.0, [[1.0, 2.0], [3.0, 4.0]]) == 10.0
    assert gradient(lambda a, b: a / b, 1.0, 4.0) == 0.25


# ---- 4 to 6: dtypes


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x * 2.0,
        lambda x: 2 * x,
        lambda x: x + 1,
        lambda x: 1.0 - x,
        lambda x: x / 3,
        lambda x: 3 / x,
        lambda x: x**2,
        lambda x: x**0.5,
        lambda x: 2.0**x,
        lambda x: x % 2.0,
        lambda x: x * np.float64(2.0),
        lambda x: x * True,
        lambda x: ops.maximum(x, 0.0),
        lambda x: ops.where(x > 1.0, x, 0.0),
        lambda x: ops.clip(x, 0.0, 1e9),
        lambda x: x * math.pi,
        lambda x: x.mean(),
        lambda x: ops.std(x),
        lambda x: ops.logsumexp(x),
        lambda x: x * ops.arange(3),
        lambda x: x * (x > 1.0),
    ],
)
def test_case_04_python_numbers_and_integers_do_not_widen_float32(function):
    x = sw.tensor([0.5, 1.5, 2.5], requires_grad=True)
    y = function(x)
    assert y.dtype == F32
    y.sum().backward()
    assert x.grad.dtype == F32


def test_case_04_a_number_that_does_not_fit_an_integer_tensor_says_so():
    with pytest.raises(ArgumentError, match="the number 300 does not fit in uint8"):
        sw.tensor(np.zeros(2, np.uint8)) + 300


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.bool_])
def test_case_05_integer_and_boolean_inputs_get_no_gradient(dtype):
    n = sw.tensor(np.ones(2, dtype))
    with pytest.raises(DtypeError, match=r"only real floating tensors carry gradients.*astype"):
        n.requires_grad_()
    with pytest.raises(DtypeError, match="gradients exist only with respect to real floating tensors"):
        sw.grad(lambda n: n.sum())(n)
    x = sw.tensor([1.0, 2.0], requires_grad=True)
    (x * n).sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]
    assert n.grad is None


def test_case_05_what_is_made_of_a_tracked_tensor_but_is_integer_is_not_tracked():
    x = sw.tensor([1.5, -2.0], requires_grad=True)
    for y in (x > 0, x.astype("int64"), ops.argmax(x), ops.isnan(x)):
        assert not y.requires_grad
    assert gradient(lambda x: x * x.astype("int64"), [1.5, -2.0]) == [1.0, -2.0]


@pytest.mark.parametrize(("a", "b"), [(F32, F64), (F64, F32), (np.dtype(np.float16), F32)])
def test_case_06_each_gradient_has_the_dtype_of_its_input(a, b):
    x = sw.tensor(np.ones((2, 3), a), requires_grad=True)
    y = sw.tensor(np.ones(3, b), requires_grad=True)
    (x * y).sum().backward()
    assert (x.grad.dtype, y.grad.dtype) == (a, b)
    assert (x.grad.shape, y.grad.shape) == (x.shape, y.shape)


# ---- 7 to 10: shapes of graphs


def test_case_07_an_input_used_twice_gets_both_gradients():
    assert gradient(lambda x: x * x, [3.0]) == [6.0]
    assert gradient(lambda x: x + x, [3.0]) == [2.0]
    assert gradient(lambda x: weighted(ops.stack([x, x])), [1.0, 2.0]) == [4.0, 6.0]
    assert gradient(lambda x: weighted(ops.concatenate([x, x])), [1.0, 2.0]) == [4.0, 6.0]
    assert gradient(lambda x: x @ x, [[1.0, 2.0], [3.0, 4.0]]) == [[7.0, 11.0], [9.0, 13.0]]


def test_case_08_paths_that_part_and_meet_again_are_added_up_once_each():
    def diamond(x):
        a = x * x
        return (a * 3.0) + (a * a)

    assert gradient(diamond, [2.0]) == [2 * 2.0 * 3 + 4 * 2.0**3]


def test_case_08_a_ladder_of_diamonds_is_walked_in_linear_time():
    x = sw.tensor(np.asarray(1.0), requires_grad=True)
    y = x
    for _ in range(60):  # 2**60 paths
        y = (y + y) * 0.5
    y.backward()
    assert x.grad.item() == 1.0


def test_case_09_an_unused_input_gets_zeros_and_backward_leaves_none():
    used, unused = sw.tensor([1.0, 2.0]), sw.tensor([[1.0]])
    gradients = sw.grad(lambda a, b: (a * a).sum(), argnums=(0, 1))(used, unused)
    assert [g.tolist() for g in gradients] == [[2.0, 4.0], [[0.0]]]
    used.requires_grad_()
    unused.requires_grad_()
    (used * used).sum().backward()
    assert unused.grad is None


def test_case_09_a_result_that_depends_on_nothing_has_a_gradient_of_zeros():
    assert gradient(lambda x: sw.tensor(np.ones(3)), [1.0, 2.0]) == [0.0, 0.0]


def test_case_10_of_several_outputs_one_can_be_used():
    x = sw.tensor(np.array([[2.0, 0.0], [0.0, 4.0]]), requires_grad=True)
    _, log_magnitude = apply(slogdet, x)
    log_magnitude.backward()
    assert x.grad.tolist() == [[0.5, 0.0], [0.0, 0.25]]
    assert gradient(lambda x: apply(slogdet, x)[0], [[2.0, 0.0], [0.0, 4.0]]) == [[0.0, 0.0], [0.0, 0.0]]


def test_case_10_of_the_outputs_of_a_loop_either_can_be_used():
    def loop(which):
        return lambda x: sw.scan(lambda s, v: (s * v, s + v), sw.tensor(np.asarray(1.0)), x)[which]

    assert gradient(loop(0), [2.0, 3.0]) == [3.0, 2.0]
    assert gradient(loop(1), [2.0, 3.0]) == [2.0, 1.0]


# ---- 11 to 13: ties and kinks


def test_case_11_ties_of_max_and_min_share_the_gradient_equally():
    tied = [[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]]
    third = 1 / 3
    assert gradient(lambda x: x.max(1), tied) == [[0.0, 0.5, 0.5], [third, third, third]]
    assert gradient(lambda x: x.min(0), tied) == [[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]
    assert gradient(lambda x: x.max(), tied) == [[0.0, 0.5, 0.5], [0.0, 0.0, 0.0]]


def test_case_11_a_nan_among_the_elements_does_not_turn_the_others_gradients_into_nan():
    assert gradient(lambda x: x.max(1), [[1.0, math.nan], [1.0, 2.0]])[1] == [0.0, 1.0]


def test_case_12_the_maximum_of_a_thing_and_itself_has_gradient_one():
    assert gradient(lambda x: ops.maximum(x, x), [1.0, -2.0]) == [1.0, 1.0]
    assert gradient(lambda x: ops.minimum(x, x), [1.0, -2.0]) == [1.0, 1.0]


def test_case_12_abs_and_sign_at_zero_have_gradient_zero():
    assert gradient(ops.absolute, [-2.0, 0.0, -0.0, 2.0]) == [-1.0, 0.0, 0.0, 1.0]
    assert gradient(ops.sign, [-2.0, 0.0, 2.0]) == [0.0, 0.0, 0.0]


def test_case_12_a_maximum_with_a_constant_halves_a_tie_but_relu_written_with_where_does_not():
    assert gradient(lambda x: ops.maximum(x, 0.0), [-1.0, 0.0, 1.0]) == [0.0, 0.5, 1.0]
    assert gradient(lambda x: ops.where(x > 0, x, 0.0), [-1.0, 0.0, 1.0]) == [0.0, 0.0, 1.0]


def test_case_13_clip_passes_the_gradient_at_its_bounds():
    assert gradient(lambda x: ops.clip(x, -1.0, 1.0), [-1.5, -1.0, 0.0, 1.0, 1.5]) == [
        0.0,
        1.0,
        1.0,
        1.0,
        0.0,
    ]
    assert gradient(lambda x: ops.clip(x, -1.0, None), [-1.5, -1.0, 5.0]) == [0.0, 1.0, 1.0]


def test_case_13_bounds_that_are_tensors_get_the_gradient_where_they_hold():
    def clipped(low, high):
        return ops.clip(sw.tensor(np.array([-3.0, 0.0, 3.0])), low, high)

    low, high = gradient(clipped, [-1.0, -1.0, -1.0], [1.0, 1.0, 1.0], argnums=(0, 1))
    assert (low.tolist(), high.tolist()) == ([1.0, 0.0, 0.0], [0.0, 0.0, 1.0])


# ---- 14 to 19: indexing


def test_case_14_a_place_that_was_picked_several_times_gets_all_gradients():
    assert gradient(lambda x: weighted(x[[0, 2, 2, -1, 0]]), [1.0, 2.0, 3.0]) == [6.0, 0.0, 9.0]
    assert gradient(lambda x: weighted(x[[0, 1, 0], [1, 1, 1]]), np.ones((2, 2))) == [[0.0, 4.0], [0.0, 2.0]]


def test_case_15_values_that_were_overwritten_get_zero():
    def overwrite(x, v):
        y = x * 1.0
        y[1] = v
        return weighted(y)

    x, v = gradient(overwrite, [1.0, 2.0, 3.0], 5.0, argnums=(0, 1))
    assert (x.tolist(), v.item()) == ([1.0, 0.0, 3.0], 2.0)


def test_case_15_of_several_assignments_to_one_place_the_last_gets_the_gradient():
    def overwrite(x, v):
        y = x * 1.0
        y[[0, 0, 2]] = v
        return weighted(y)

    x, v = gradient(overwrite, [1.0, 2.0, 3.0], [7.0, 8.0, 9.0], argnums=(0, 1))
    assert (x.tolist(), v.tolist()) == ([0.0, 2.0, 0.0], [0.0, 1.0, 3.0])


def test_case_15_slices_are_overwritten_too():
    def overwrite(x, v):
        y = x * 1.0
        y[::2, 1:] = v
        return weighted(y)

    x, v = gradient(overwrite, np.ones((3, 3)), np.ones(2), argnums=(0, 1))
    assert x.tolist() == [[1.0, 0.0, 0.0], [4.0, 5.0, 6.0], [7.0, 0.0, 0.0]]
    assert v.tolist() == [2.0 + 8.0, 3.0 + 9.0]


def test_case_16_a_source_larger_than_the_place_is_an_error_that_names_both_shapes():
    x = sw.tensor([0.0, 0.0, 0.0])
    with pytest.raises(ShapeError, match=r"a value of shape \(3,\) to a place of shape \(2,\)"):
        x[[0, 1]] = sw.tensor([1.0, 2.0, 3.0])
    with pytest.raises(ShapeError, match=r"'scatter' needs updates float32\[2\], not float32\[3\]"):
        apply(scatter, x, sw.tensor([1.0, 2.0, 3.0]), sw.tensor([0, 1]), axes=(0,))
    assert x.tolist() == [0.0, 0.0, 0.0]


def test_case_16_a_source_smaller_than_the_place_is_repeated_and_gets_the_sum():
    def assign(v):
        y = ops.zeros((2, 3), F64)
        y[:] = v
        return weighted(y)

    assert gradient(assign, [1.0, 2.0, 3.0]) == [5.0, 7.0, 9.0]
    assert gradient(assign, [[1.0], [2.0]]) == [[6.0], [15.0]]
    assert gradient(assign, 1.0) == 21.0


def test_case_17_rows_of_an_embedding_that_occur_twice_get_both_gradients():
    words = sw.tensor([[2, 0], [2, 2]])
    assert gradient(lambda table: weighted(table[words]), np.zeros((4, 2))) == [
        [3.0, 4.0],
        [0.0, 0.0],
        [1.0 + 5.0 + 7.0, 2.0 + 6.0 + 8.0],
        [0.0, 0.0],
    ]


def test_case_17_the_padding_row_of_an_embedding_stays_zero_and_gets_no_gradient():
    table = sw.nn.Embedding(4, 2, padding_idx=0)
    (table(sw.tensor([[0, 1], [1, 0]])) ** 2).sum().backward()
    assert table.weight.tolist()[0] == [0.0, 0.0]
    assert table.weight.grad.tolist()[0] == [0.0, 0.0]
    np.testing.assert_allclose(table.weight.grad.numpy()[1], 4 * table.weight.numpy()[1])


def test_case_18_a_boolean_mask_picks_and_overwrites():
    mask = np.array([True, False, True])
    assert gradient(lambda x: weighted(x[mask]), [1.0, 2.0, 3.0]) == [1.0, 0.0, 2.0]
    assert gradient(lambda x: weighted(x[x > 1.5]), [1.0, 2.0, 3.0]) == [0.0, 1.0, 2.0]

    def overwrite(x, v):
        y = x * 1.0
        y[mask] = v
        return weighted(y)

    x, v = gradient(overwrite, [1.0, 2.0, 3.0], 9.0, argnums=(0, 1))
    assert (x.tolist(), v.item()) == ([0.0, 2.0, 0.0], 4.0)
    x, v = gradient(overwrite, [1.0, 2.0, 3.0], [8.0, 9.0], argnums=(0, 1))
    assert (x.tolist(), v.tolist()) == ([0.0, 2.0, 0.0], [1.0, 3.0])


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (np.s_[-2:], [0.0, 0.0, 0.0, 1.0, 2.0]),
        (np.s_[::-1], [5.0, 4.0, 3.0, 2.0, 1.0]),
        (np.s_[::2], [1.0, 0.0, 2.0, 0.0, 3.0]),
        (np.s_[3:0:-2], [0.0, 2.0, 0.0, 1.0, 0.0]),
        (np.s_[-1], [0.0, 0.0, 0.0, 0.0, 1.0]),
        (np.s_[5:], [0.0, 0.0, 0.0, 0.0, 0.0]),
        (np.s_[-100:2], [1.0, 2.0, 0.0, 0.0, 0.0]),
        (np.s_[None, 1:2, None], [0.0, 1.0, 0.0, 0.0, 0.0]),
        (np.s_[...], [1.0, 2.0, 3.0, 4.0, 5.0]),
    ],
)
def test_case_19_negative_and_stepped_slices(key, expected):
    values = np.arange(5.0)
    assert gradient(lambda x: weighted(x[key]), values) == expected
    assert sw.tensor(values)[key].tolist() == values[key].tolist()


# ---- 20 to 24: where functions are not smooth


@pytest.mark.parametrize("dead", [math.nan, math.inf, -math.inf])
def test_case_20_the_gradient_of_where_is_zero_for_the_branch_not_taken(dead):
    taken = np.array([True, False])
    a, b = gradient(lambda a, b: ops.where(taken, a, b) * 2.0, [1.0, dead], [dead, 1.0], argnums=(0, 1))
    assert (a.tolist(), b.tolist()) == ([2.0, 0.0], [0.0, 2.0])


def test_case_20_a_condition_written_twice_keeps_nan_out_of_the_gradient():
    def safe_log(x):
        good = x > 0
        return ops.where(good, ops.log(ops.where(good, x, 1.0)), 0.0)

    assert gradient(safe_log, [-1.0, 0.0, 2.0]) == [0.0, 0.0, 0.5]


def test_case_21_powers():
    assert gradient(lambda x: x**0, [0.0, 2.0]) == [0.0, 0.0]
    assert gradient(lambda x: x**1, [0.0, 2.0]) == [1.0, 1.0]
    assert gradient(lambda x: x**2, [-3.0, 0.0, 2.0]) == [-6.0, 0.0, 4.0]
    assert gradient(lambda x: x**3.0, [-2.0, 0.0]) == [12.0, 0.0]
    assert gradient(lambda x: x**-1.0, [-2.0]) == [-0.25]
    assert gradient(lambda x, p: x**p, [0.0, 3.0], [0.0, 0.0]) == [0.0, 0.0]


def test_case_21_the_gradient_of_an_exponent_at_base_zero_is_its_limit():
    assert gradient(lambda p: sw.tensor(np.array([0.0, 0.0])) ** p, [2.0, 0.0]) == [0.0, 0.0]
    assert np.isnan(gradient(lambda p: sw.tensor(np.array([-2.0])) ** p, [2.0])).all()


def test_case_21_second_derivatives_of_powers_at_zero_are_finite():
    second = sw.hessian(lambda x: (x**3).sum())(sw.tensor(np.array([0.0, 2.0])))
    assert second.tolist() == [[0.0, 0.0], [0.0, 12.0]]


def test_case_22_the_norm_at_zero_has_the_subgradient_zero():
    assert gradient(lambda x: ops.safe_sqrt((x * x).sum()), [0.0, 0.0]) == [0.0, 0.0]
    assert gradient(lambda x: ops.safe_sqrt((x * x).sum()), [3.0, 4.0]) == pytest.approx([0.6, 0.8])
    assert gradient(lambda x: ops.hypot(x, 0.0), [0.0, 2.0]) == [0.0, 1.0]


def test_case_23_the_square_root_of_zero_has_an_infinite_slope_and_the_deviation_of_a_constant_none():
    assert gradient(ops.sqrt, [0.0, 4.0]) == [math.inf, 0.25]
    assert gradient(ops.std, [2.0, 2.0, 2.0]) == [0.0, 0.0, 0.0]
    assert gradient(ops.var, [2.0, 2.0, 2.0]) == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("correction", [0, 1, 0.5])
def test_case_24_the_variance_divides_by_n_minus_the_correction(correction):
    values = np.array([1.0, 2.0, 4.0])
    assert ops.var(values, correction=correction).item() == pytest.approx(values.var(ddof=correction))
    expected = 2 * (values - values.mean()) / (3 - correction)
    assert gradient(lambda x: ops.var(x, correction=correction), values) == pytest.approx(expected)


@pytest.mark.parametrize("correction", [1, 2])
def test_case_24_a_correction_as_large_as_the_sample_gives_nan_and_no_error(correction):
    assert math.isnan(ops.var(sw.tensor([2.0]), correction=correction).item())
    assert math.isnan(ops.std(sw.tensor([2.0]), correction=correction).item())


# ---- 25 to 31: products, logarithms, exponentials


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([2.0, 3.0, 4.0], [12.0, 8.0, 6.0]),
        ([2.0, 0.0, 4.0], [0.0, 8.0, 0.0]),
        ([0.0, 3.0, 0.0], [0.0, 0.0, 0.0]),
        ([5.0], [1.0]),
    ],
)
def test_case_25_products_with_none_one_and_two_zeros(values, expected):
    assert gradient(ops.prod, values) == expected
    sw.check_gradients(ops.prod, sw.tensor(values))


@pytest.mark.parametrize("values", [[2.0, 0.0, 4.0, 3.0], [0.0, 3.0, 0.0, 2.0], [0.0, 0.0, 0.0]])
def test_case_26_running_products_with_zeros(values):
    sw.check_gradients(lambda x: ops.cumprod(x, 0), sw.tensor(values))


def test_case_27_logsumexp_of_large_numbers_neither_overflows_nor_underflows():
    large = [[1e4, 1e4], [-1e4, -1e4], [1e4, -1e4]]
    expected = [1e4 + math.log(2), -1e4 + math.log(2), 1e4]
    assert ops.logsumexp(sw.tensor(np.array(large)), 1).tolist() == pytest.approx(expected)
    assert gradient(lambda x: ops.logsumexp(x, 1), large) == [[0.5, 0.5], [0.5, 0.5], [1.0, 0.0]]


def test_case_27_logsumexp_of_nothing_but_minus_infinity_has_gradient_zero():
    nothing = [[-math.inf, -math.inf], [0.0, -math.inf]]
    assert ops.logsumexp(sw.tensor(np.array(nothing)), 1).tolist() == [-math.inf, 0.0]
    assert gradient(lambda x: ops.logsumexp(x, 1), nothing) == [[0.0, 0.0], [1.0, 0.0]]
    assert ops.logaddexp(sw.tensor(-math.inf), -math.inf).item() == -math.inf
    assert gradient(lambda x: ops.logaddexp(x, -math.inf), [-math.inf, 0.0]) == [0.0, 1.0]


def test_case_27_logsumexp_of_plus_infinity():
    assert ops.logsumexp(sw.tensor([math.inf, 0.0])).item() == math.inf


def softmax(x):
    return ops.exp(x - ops.logsumexp(x, -1, keepdims=True))


def test_case_28_softmax_gives_no_share_and_no_gradient_to_minus_infinity():
    row = [[-math.inf, 0.0, 0.0]]
    assert softmax(sw.tensor(np.array(row))).tolist() == [pytest.approx([0.0, 0.5, 0.5])]
    first = sw.grad(lambda x: softmax(x)[0, 1])(sw.tensor(np.array(row)))
    assert first.tolist() == [pytest.approx([0.0, 0.25, -0.25])]


def bce_with_logits(z, target):
    return ops.maximum(z, 0.0) - z * target + ops.log1p(ops.exp(-ops.absolute(z)))


def test_case_29_binary_cross_entropy_and_softplus_far_out():
    logits = [-1e3, 1e3, -1e3, 1e3]
    targets = sw.tensor(np.array([0.0, 1.0, 1.0, 0.0]))
    z = sw.tensor(np.array(logits))
    assert bce_with_logits(z, targets).tolist() == [0.0, 0.0, 1e3, 1e3]
    assert gradient(lambda z: bce_with_logits(z, targets), logits) == [0.0, 0.0, -1.0, 1.0]
    assert ops.logaddexp(z, 0.0).tolist() == [0.0, 1e3, 0.0, 1e3]
    assert gradient(lambda z: ops.logaddexp(z, 0.0), logits) == [0.0, 1.0, 0.0, 1.0]
    assert ops.sigmoid(z).tolist() == [0.0, 1.0, 0.0, 1.0]
    assert gradient(ops.sigmoid, logits) == [0.0, 0.0, 0.0, 0.0]


def test_case_29_sigmoid_keeps_its_relative_precision_in_the_lower_tail():
    assert ops.sigmoid(sw.tensor(np.array(-40.0))).item() == pytest.approx(math.exp(-40.0), rel=1e-15)


@pytest.mark.parametrize("x", [1e-12, -1e-12, 1e-300, 0.0])
def test_case_30_log1p_and_expm1_near_zero(x):
    assert ops.log1p(sw.tensor(np.array(x))).item() == pytest.approx(math.log1p(x), rel=1e-15, abs=0)
    assert ops.expm1(sw.tensor(np.array(x))).item() == pytest.approx(math.expm1(x), rel=1e-15, abs=0)
    assert gradient(ops.log1p, x) == pytest.approx(1.0)
    assert gradient(ops.expm1, x) == pytest.approx(1.0)


def test_case_31_log_softmax_of_a_sure_thing_has_no_gradient_but_a_finite_loss_for_the_unlikely():
    def cross_entropy(z):
        return -(z - ops.logsumexp(z, -1, keepdims=True))[:, 1]

    assert gradient(cross_entropy, [[-1e4, 1e4]]) == [[0.0, 0.0]]
    assert gradient(cross_entropy, [[1e4, -1e4]]) == [[1.0, -1.0]]


def cross_entropy_gradient(logits, target, **settings):
    logits = sw.tensor(np.array(logits))
    loss = sw.losses.cross_entropy(logits, sw.tensor(target), **settings)
    return loss.item(), sw.grad(lambda z: sw.losses.cross_entropy(z, sw.tensor(target), **settings))(logits)


def test_case_31_ignored_rows_count_neither_in_the_loss_nor_in_the_mean():
    logits = [[0.0, 0.0], [5.0, -5.0], [0.0, 0.0]]
    loss, slope = cross_entropy_gradient(logits, [0, -100, 1], ignore_index=-100)
    assert loss == pytest.approx(math.log(2))
    assert slope.tolist() == [[-0.25, 0.25], [0.0, 0.0], [0.25, -0.25]]


def test_case_31_if_all_rows_are_ignored_the_gradient_is_not_nan():
    _, slope = cross_entropy_gradient([[1.0, 2.0]], [-100], ignore_index=-100)
    assert slope.tolist() == [[0.0, 0.0]]


def test_case_31_weights_and_smoothing():
    weight = sw.tensor(np.array([1.0, 3.0]))
    _, slope = cross_entropy_gradient([[0.0, 0.0], [0.0, 0.0]], [0, 1], class_weight=weight)
    assert slope.tolist() == [[-0.125, 0.125], [0.375, -0.375]]
    _, slope = cross_entropy_gradient([[0.0, 0.0]], [0], label_smoothing=0.5)
    np.testing.assert_allclose(slope.numpy(), [[-0.25, 0.25]])


# ---- 32 to 34: arguments and inputs


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2), (-1, -3), (1,), (0, 1, 2), ()])
@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "prod", "var", "logsumexp"])
def test_case_32_reductions_take_negative_axes_tuples_and_keepdims(name, axis, keepdims):
    values = np.sin(np.arange(24.0)).reshape(2, 3, 4) + 2
    reference = {
        "logsumexp": lambda x, **k: np.log(np.exp(x).sum(**k)),
        "max": np.amax,
        "min": np.amin,
    }.get(name, getattr(np, name, None))
    function = getattr(ops, name)
    ours = function(sw.tensor(values), axis, keepdims=keepdims).numpy()
    np.testing.assert_allclose(ours, reference(values, axis=axis, keepdims=keepdims), rtol=1e-12)
    sw.check_gradients(lambda x: function(x, axis, keepdims=keepdims), sw.tensor(values))


@pytest.mark.parametrize(("axis", "message"), [(2, "axis 2 does not exist"), (-3, "axis -3 does not exist")])
def test_case_32_an_axis_that_does_not_exist_is_named(axis, message):
    with pytest.raises(ShapeError, match=f"'sum': {message} in a tensor with 2 axes"):
        sw.tensor([[1.0]]).sum(axis)


def test_case_32_an_axis_named_twice_is_an_error():
    with pytest.raises(ShapeError, match=r"'sum': axes \(0, -2\) name one axis twice"):
        sw.tensor([[1.0]]).sum((0, -2))


def test_case_33_empty_arrays_have_sums_and_empty_gradients():
    for function in (ops.sum, ops.prod, lambda x: x * x, ops.exp, lambda x: x[0:0], lambda x: x @ x.T):
        assert gradient(function, np.zeros((0, 3))) == []
    assert ops.sum(sw.tensor(np.zeros((0, 3))), 0).tolist() == [0.0, 0.0, 0.0]
    assert ops.prod(sw.tensor(np.zeros((0, 3))), 0).tolist() == [1.0, 1.0, 1.0]
    assert (sw.tensor(np.zeros((2, 0))) @ sw.tensor(np.zeros((0, 3)))).tolist() == [[0.0] * 3] * 2
    assert math.isnan(ops.mean(sw.tensor(np.zeros(0))).item())


@pytest.mark.parametrize("name", ["max", "min", "argmax", "argmin"])
def test_case_33_the_extremum_of_nothing_is_an_error_that_says_so(name):
    with pytest.raises(ShapeError, match=f"'{name}' of no elements is not defined"):
        getattr(ops, name)(sw.tensor(np.zeros((2, 0))), 1)
    with pytest.raises(ShapeError, match=f"'{name}' of no elements is not defined"):
        getattr(ops, name)(sw.tensor(np.zeros((0,))))


def awkward(kind):
    values = np.arange(6.0).reshape(2, 3) + 1
    if kind == "transposed":
        return np.ascontiguousarray(values.T).T
    if kind == "stepped":
        return np.repeat(np.repeat(values, 2, 0), 2, 1)[::2, ::2]
    if kind == "reversed":
        return values[::-1, ::-1].copy()[::-1, ::-1]
    if kind == "read-only":
        values.flags.writeable = False
        return values
    if kind == "byte-swapped":
        return values.astype(values.dtype.newbyteorder())
    return np.broadcast_to(values[:1], (2, 3)) + 0 * values


@pytest.mark.parametrize(
    "kind", ["transposed", "stepped", "reversed", "read-only", "byte-swapped", "broadcast"]
)
def test_case_34_inputs_of_any_layout(kind):
    array = awkward(kind)
    x = sw.tensor(array, requires_grad=True)
    assert x.dtype == F64
    assert x.dtype.isnative
    assert x.tolist() == array.tolist()
    for function in (
        lambda x: x * x,
        lambda x: x @ x.T,
        lambda x: x[[0, 0]] * x,
        lambda x: ops.cumsum(x, 1) * x,
        lambda x: x.reshape(-1) ** 2,
    ):
        expected = sw.grad(lambda x, f=function: f(x).sum())(sw.tensor(array.astype(F64).copy()))
        x.grad = None
        function(x).sum().backward()
        assert x.grad.tolist() == expected.tolist()


# ---- 35 and 36: aliasing


def test_case_35_writing_into_a_saved_tensor_does_not_change_a_gradient():
    w = sw.tensor([2.0, 3.0], requires_grad=True)
    x = sw.tensor([5.0, 7.0])
    y = w * x
    x[0] = 100.0
    x += 1.0
    y.sum().backward()
    assert w.grad.tolist() == [5.0, 7.0]
    assert x.tolist() == [101.0, 8.0]


def test_case_35_nor_does_writing_into_the_array_that_a_tensor_was_made_of():
    source = np.array([5.0, 7.0])
    w, x = sw.tensor([2.0, 3.0], dtype="float64", requires_grad=True), sw.tensor(source)
    y = w * x
    source[:] = 0.0
    y.sum().backward()
    assert w.grad.tolist() == [5.0, 7.0]


def test_case_35_in_place_on_a_result_is_recorded():
    def function(x):
        y = x * 1.0
        y *= x
        y += 1.0
        y[0] *= 3.0
        return y

    assert gradient(function, [2.0, 5.0]) == [12.0, 10.0]


def test_case_35_in_place_on_a_leaf_is_an_error_outside_of_no_grad():
    w = sw.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(GradientError, match=r"in-place \+= on a leaf that requires a gradient.*no_grad"):
        w += 1.0
    with pytest.raises(GradientError, match="in-place assignment on a leaf"):
        w[0] = 1.0
    assert w.tolist() == [1.0, 2.0]
    with sw.no_grad():
        w += 1.0
        w[0] = 9.0
    assert w.tolist() == [9.0, 3.0]
    assert w.is_leaf
    assert w.requires_grad


def test_case_35_an_update_between_forward_and_backward_does_not_change_the_gradient():
    w = sw.tensor([2.0], requires_grad=True)
    loss = (w * w).sum()
    with sw.no_grad():
        w.copy_([100.0])
    loss.backward()
    assert w.grad.tolist() == [4.0]


def test_case_36_nothing_aliases():
    x = sw.tensor([[1.0, 2.0], [3.0, 4.0]])
    others = [
        x[0],
        x.reshape(4),
        x.T,
        x[:, ::-1],
        ops.broadcast_to(x, (2, 2, 2)),
        x.detach(),
        +x,
        sw.tensor(x),
    ]
    before = [y.tolist() for y in others]
    x[0, 0] = 99.0
    x *= 2.0
    assert [y.tolist() for y in others] == before
    others[1][3] = -1.0
    assert x.tolist() == [[198.0, 4.0], [6.0, 8.0]]


def test_case_36_arrays_that_leave_are_read_only_or_copies():
    x = sw.tensor([1.0, 2.0])
    with pytest.raises(ValueError, match="read-only"):
        x.numpy()[0] = 5.0
    with pytest.raises(ValueError, match="read-only"):
        np.asarray(x)[0] = 5.0
    np.array(x)[0] = 5.0
    np.from_dlpack(x)
    assert x.tolist() == [1.0, 2.0]


# ---- 37 to 40: products, convolution, pooling


@pytest.mark.parametrize(
    ("a", "b"),
    [((3,), (3,)), ((3,), (3, 2)), ((2, 3), (3,)), ((4, 2, 3), (3,)), ((3,), (4, 3, 2)), ((2, 3), (3, 4))]
    + [((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)), ((5, 1, 2, 3), (4, 3, 2)), ((1, 2, 3), (6, 3, 1))],
)
def test_case_37_matmul_of_vectors_matrices_and_stacks(a, b):
    x, y = (np.cos(np.arange(float(math.prod(shape)))).reshape(shape) for shape in (a, b))
    np.testing.assert_allclose((sw.tensor(x) @ sw.tensor(y)).numpy(), x @ y, rtol=1e-12)
    sw.check_gradients(ops.matmul, sw.tensor(x), sw.tensor(y))


@pytest.mark.parametrize(
    ("subscripts", "shapes"),
    [
        ("ij,jk->ik", [(2, 3), (3, 4)]),
        ("ij,ij->", [(2, 3), (2, 3)]),
        ("ii->i", [(3, 3)]),
        ("ii", [(3, 3)]),
        ("ij->j", [(2, 3)]),
        ("i,j->ij", [(2,), (3,)]),
        ("bij,bjk->bik", [(2, 2, 3), (2, 3, 2)]),
        ("iij,jk->ik", [(2, 2, 3), (3, 2)]),
        ("ij,jk,kl->il", [(2, 3), (3, 2), (2, 2)]),
        ("...i,i->...", [(2, 2, 3), (3,)]),
    ],
)
def test_case_38_einsum_with_repeated_and_summed_indices(subscripts, shapes):
    values = [np.sin(np.arange(float(math.prod(shape))) + k).reshape(shape) for k, shape in enumerate(shapes)]
    ours = sw.array.einsum(subscripts, *map(sw.tensor, values))
    np.testing.assert_allclose(ours.numpy(), np.einsum(subscripts, *values), rtol=1e-12, atol=1e-14)
    sw.check_gradients(lambda *xs: sw.array.einsum(subscripts, *xs), *map(sw.tensor, values))


def spatial(x, w, **changes):
    settings = {"stride": (1,), "padding": ((0, 0),), "input_dilation": (1,), "kernel_dilation": (1,)}
    return apply(conv, x, w, **{**settings, **changes})


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", [(0, 0), (1, 2)])
@pytest.mark.parametrize("dilation", [1, 2])
def test_case_39_convolution_with_stride_padding_dilation_groups_and_left_over_pixels(
    groups, stride, padding, dilation
):
    x = np.sin(np.arange(groups * 2 * 8.0)).reshape(groups, 1, 2, 8)
    w = np.cos(np.arange(groups * 2 * 2 * 3.0)).reshape(groups, 2, 2, 3)

    def function(x, w):
        return spatial(x, w, stride=(stride,), padding=(padding,), kernel_dilation=(dilation,))

    sw.check_gradients(function, sw.tensor(x), sw.tensor(w))
    padded = np.pad(x, [(0, 0)] * 3 + [padding])
    reach = 2 * dilation + 1
    starts = range(0, padded.shape[-1] - reach + 1, stride)
    expected = np.stack(
        [np.einsum("gncs,gfcs->gnf", padded[..., s : s + reach : dilation], w) for s in starts], axis=-1
    )
    np.testing.assert_allclose(function(sw.tensor(x), sw.tensor(w)).numpy(), expected, atol=1e-12)


def test_case_39_pixels_that_no_window_reaches_get_zero():
    w = np.ones((1, 1, 1, 2))
    g = gradient(lambda x: spatial(x, sw.tensor(w), stride=(3,)), np.ones((1, 1, 1, 6)))
    assert g == [[[[1.0, 1.0, 0.0, 1.0, 1.0, 0.0]]]]


def max_pool(x, size, stride):
    return apply(windows, x, window=(size,), stride=(stride,), dilation=(1,)).max(-1)


def test_case_40_max_pooling_shares_ties_and_adds_up_where_windows_overlap():
    assert gradient(lambda x: max_pool(x, 2, 2), [1.0, 1.0, 0.0, 2.0]) == [0.5, 0.5, 0.0, 1.0]
    assert gradient(lambda x: max_pool(x, 3, 1), [0.0, 5.0, 1.0, 2.0]) == [0.0, 2.0, 0.0, 0.0]


def test_case_40_average_pooling_divides_by_the_size_of_the_window():
    def average(x):
        return apply(windows, x, window=(2,), stride=(1,), dilation=(1,)).mean(-1)

    assert gradient(average, [1.0, 2.0, 3.0]) == [0.5, 1.0, 0.5]


def test_case_40_padding_is_never_the_maximum_and_is_left_out_of_averages_if_asked():
    x = [[[-3.0, -1.0, -2.0, -4.0]]]
    assert gradient(sw.nn.MaxPool1d(2, 2, padding=1), x) == [[[1.0, 1.0, 0.0, 1.0]]]
    counted = gradient(sw.nn.AvgPool1d(2, 2, padding=1), x)
    assert counted == [[[0.5, 0.5, 0.5, 0.5]]]
    left_out = gradient(sw.nn.AvgPool1d(2, 2, padding=1, count_include_pad=False), x)
    assert left_out == [[[1.0, 0.5, 0.5, 1.0]]]


# ---- 41 and 42: normalization, dropout


def normalized(x):
    centred = x - x.mean(0)
    return centred / ops.sqrt((centred * centred).mean(0) + 1e-5)


def test_case_41_normalization_over_a_batch_and_over_a_batch_of_one():
    sw.check_gradients(normalized, sw.tensor(np.sin(np.arange(12.0)).reshape(4, 3)))
    assert gradient(normalized, [[1.0, 2.0]]) == [[0.0, 0.0]]
    assert gradient(lambda x: weighted(normalized(x)), np.full((3, 2), 7.0)) is not None


def test_case_41_batch_norm_uses_the_batch_in_training_and_what_it_learned_in_evaluation():
    layer = sw.nn.BatchNorm1d(2)
    x = sw.tensor([[1.0, 10.0], [3.0, 30.0], [5.0, 20.0]])
    assert gradient(lambda x: layer(x.astype("float32")), x) == pytest.approx(np.zeros((3, 2)), abs=1e-5)
    np.testing.assert_allclose(layer.running_mean.numpy(), 0.1 * x.numpy().mean(0), rtol=1e-6)
    layer.eval()
    before = layer.running_mean.tolist()
    slope = sw.grad(lambda x: layer(x).sum())(x)
    expected = np.broadcast_to(1 / np.sqrt(layer.running_var.numpy() + 1e-5), (3, 2))
    np.testing.assert_allclose(slope.numpy(), expected, rtol=1e-5)
    assert layer.running_mean.tolist() == before


def dropout(x, p, address):
    bits = apply(random_bits, sw.tensor(np.array(address, np.uint32)), shape=x.shape)
    kept = bits >= int(p * 2**32) if p < 1 else bits != bits
    return ops.where(kept, x / (1 - p) if p < 1 else x, 0.0)


def test_case_42_a_mask_of_dropout_is_the_same_forward_and_backward():
    x = np.ones(1000)
    y = dropout(sw.tensor(x), 0.5, (0, 0, 3, 1))
    assert gradient(lambda x: dropout(x, 0.5, (0, 0, 3, 1)), x) == y.tolist()
    assert 400 < sum(v > 0 for v in y.tolist()) < 600
    assert dropout(sw.tensor(x), 0.5, (0, 0, 3, 2)).tolist() != y.tolist()


def test_case_42_dropout_of_nothing_and_of_all():
    assert gradient(lambda x: dropout(x, 0.0, (0, 0, 3, 1)), np.ones(5)) == [1.0] * 5
    assert gradient(lambda x: dropout(x, 1.0, (0, 0, 3, 1)), np.ones(5)) == [0.0] * 5


def test_case_42_the_module_draws_another_mask_at_each_call_and_none_in_evaluation():
    layer = sw.nn.Dropout(0.5)
    x = sw.tensor(np.ones(200, np.float32), requires_grad=True)
    y = layer(x)
    y.sum().backward()
    assert x.grad.tolist() == y.tolist()
    assert layer(x).tolist() != y.tolist()
    layer.eval()
    assert layer(x).tolist() == [1.0] * 200
    assert sw.nn.Dropout(0.0)(x).tolist() == [1.0] * 200
    assert sw.nn.Dropout(1.0)(x).tolist() == [0.0] * 200


# ---- 43 to 45


def test_case_43_joining_and_splitting_with_parts_of_size_zero():
    x = sw.tensor(np.arange(3.0))
    assert ops.concatenate([x, x[:0], x]).tolist() == [0.0, 1.0, 2.0, 0.0, 1.0, 2.0]
    assert gradient(lambda x: weighted(ops.concatenate([x[:0], x, x[3:]])), [1.0, 1.0]) == [1.0, 2.0]
    assert gradient(lambda a, b: ops.concatenate([a, b]), np.zeros((0, 2)), np.ones((1, 2))) == []


def test_case_44_ties_in_a_sort_keep_their_order_and_their_gradients():
    def sorted_(x, descending=False):
        return x[apply(argsort, x, axis=0, descending=descending, stable=True)]

    tied = [2.0, 1.0, 2.0, 1.0]
    assert gradient(lambda x: weighted(sorted_(x)), tied) == [3.0, 1.0, 4.0, 2.0]
    assert gradient(lambda x: weighted(sorted_(x, descending=True)), tied) == [1.0, 3.0, 2.0, 4.0]
    top_2 = gradient(lambda x: weighted(sorted_(x, descending=True)[:2]), tied)
    assert top_2 == [1.0, 0.0, 2.0, 0.0]


def test_case_45_a_second_backward_over_a_freed_tape_is_an_error():
    x = sw.tensor([2.0], requires_grad=True)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(GradientError, match=r"freed by an earlier backward pass.*retain_graph=True"):
        y.backward()
    assert x.grad.tolist() == [4.0]


def test_case_45_with_retain_graph_a_second_backward_adds_up():
    x = sw.tensor([2.0], requires_grad=True)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [8.0]


def test_case_45_a_part_that_two_losses_share_is_freed_by_the_first_unless_it_is_retained():
    x = sw.tensor([2.0], requires_grad=True)
    shared = x * x
    first, second = (shared * 2.0).sum(), (shared * 3.0).sum()
    first.backward()
    with pytest.raises(GradientError, match="freed"):
        second.backward()
