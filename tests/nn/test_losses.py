"""Losses: shapes, weights, safe at large predictions, and errors that name the row."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import slopewise as sw
from slopewise import losses, nn
from slopewise.engine import ops
from slopewise.engine.errors import ArgumentError, DtypeError, ShapeError

REGRESSION = [losses.squared_error, losses.absolute_error, losses.huber]
PAIRED = [*REGRESSION, losses.binary_cross_entropy_with_logits, losses.hinge]
RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(6, 3))
CLASSES = np.array([0, 2, 1, 1, 0, 2])
SOFT = np.exp(LOGITS[::-1]) / np.exp(LOGITS[::-1]).sum(1, keepdims=True)


def ids(function):
    return function.__name__


# ---- shapes and dtypes


@pytest.mark.parametrize("loss", PAIRED, ids=ids)
@pytest.mark.parametrize(
    ("prediction", "target", "way_out"),
    [
        ((4, 1), (4,), r"write prediction\.reshape\(\(4,\)\) or target\.reshape\(\(4, 1\)\)"),
        ((4,), (4, 1), r"write target\.reshape\(\(4,\)\) or prediction\.reshape\(\(4, 1\)\)"),
        ((4, 2), (2,), "they must be equal"),
        ((4,), (), "they must be equal"),
    ],
)
def test_shapes_that_differ_are_an_error_and_never_broadcast(loss, prediction, target, way_out):
    with pytest.raises(ShapeError, match=way_out) as caught:
        loss(np.ones(prediction), np.ones(target))
    assert f"prediction has shape {prediction} and target {target}" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("loss", PAIRED, ids=ids)
def test_the_result_has_the_dtype_of_the_prediction(loss):
    for dtype in ("float32", "float64"):
        assert loss(np.ones(3, dtype), np.ones(3)).dtype == np.dtype(dtype)
    assert loss(np.ones(3, "float32"), np.ones(3, "int64")).dtype == np.float32
    with pytest.raises(DtypeError, match="predictions must be floating, not int64"):
        loss(np.ones(3, "int64"), np.ones(3))


def test_cross_entropy_says_what_it_expects():
    cases = [
        (np.zeros(6, "int64")[:4], ShapeError, r"class indices of shape \(6,\) are expected"),
        (CLASSES[:, None], ShapeError, r"write target\.reshape\(\(6,\)\)"),
        (np.eye(3, dtype="int64")[CLASSES], ShapeError, r"one-hot, convert it with \.astype\('float32'\)"),
        (CLASSES.astype("float64"), DtypeError, r"must be integers, not float64; convert them with \.astype"),
        (CLASSES > 0, DtypeError, "must be integers, not bool"),
    ]
    for target, error, message in cases:
        with pytest.raises(error, match=message):
            losses.cross_entropy(LOGITS, target)
    with pytest.raises(ShapeError, match="one class, whose loss is always 0; for one logit a row use binary"):
        losses.cross_entropy(LOGITS[:, :1], np.zeros(6, "int64"))
    with pytest.raises(ShapeError, match="needs an axis of classes"):
        losses.cross_entropy(np.array(1.0), np.array(1))
    with pytest.raises(
        ShapeError, match=r"class_weight has shape \(2,\), one weight for each of the 3 classes"
    ):
        losses.cross_entropy(LOGITS, CLASSES, class_weight=[1.0, 2.0])


def test_cross_entropy_of_one_row_and_of_pictures():
    one = losses.cross_entropy(LOGITS[0], np.array(2))
    np.testing.assert_allclose(one.item(), losses.cross_entropy(LOGITS[:1], np.array([2])).item())
    picture = np.moveaxis(LOGITS.reshape(1, 2, 3, 3), -1, 1)
    terms = losses.cross_entropy(picture, CLASSES.reshape(1, 2, 3), reduction="none")
    flat = losses.cross_entropy(LOGITS, CLASSES, reduction="none")
    np.testing.assert_allclose(terms.numpy().ravel(), flat.numpy(), rtol=1e-14)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "uint64"])
def test_every_integer_dtype_is_a_class(dtype):
    logits = np.random.default_rng(0).normal(size=(3, 300))
    target = np.array([0, 7, 100])
    expected = losses.cross_entropy(logits, target).item()
    assert losses.cross_entropy(logits, target.astype(dtype)).item() == expected


# ---- values out of range


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ([0, 1, 3, 0, 0, 0], r"target\[2\] is 3, but the prediction has 3 classes, 0 to 2"),
        ([0, 1, 2, -1, 0, 0], r"target\[3\] is -1, .* pass ignore_index to leave rows out"),
        ([-100, 1, 2, 5, 0, 0], r"target\[3\] is 5"),
    ],
)
def test_a_class_that_does_not_exist_is_named_with_its_row(target, message):
    with pytest.raises(ArgumentError, match=message):
        losses.cross_entropy(LOGITS, np.array(target))


@pytest.mark.parametrize("bad", [3, -1])
def test_a_class_that_does_not_exist_makes_a_compiled_loss_nan(bad):
    target = CLASSES.copy()
    target[2] = bad
    loss = sw.compile(lambda x, y: losses.cross_entropy(x, y, reduction="none"))
    terms = loss(sw.tensor(LOGITS), sw.tensor(target)).numpy()
    assert np.isnan(terms).tolist() == [False, False, True, False, False, False]


def test_targets_outside_of_their_range_are_named():
    with pytest.raises(ArgumentError, match=r"target\[1\] is 2.0; targets are 0, 1 or a probability"):
        losses.binary_cross_entropy_with_logits(np.zeros(2), np.array([0.0, 2.0]))
    with pytest.raises(ArgumentError, match=r"target\[1, 0\] is nan"):
        losses.binary_cross_entropy_with_logits(np.zeros((2, 1)), np.array([[0.0], [np.nan]]))
    with pytest.raises(ArgumentError, match=r"target\[0\] is 0; targets are -1 and 1"):
        losses.hinge(np.zeros(2), np.array([0, 1]))
    with pytest.raises(ArgumentError, match=r"target\[0, 1\] is -0.5; targets are probabilities"):
        losses.kl_divergence(np.zeros((1, 2)), np.array([[1.5, -0.5]]))
    with pytest.raises(ArgumentError, match=r"prediction\[0, 1\] is 2.0; predictions are logarithms of prob"):
        losses.kl_divergence(np.array([[-1.0, 2.0]]), np.array([[0.5, 0.5]]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: losses.huber([1.0], [1.0], delta=0.0), "delta > 0, not 0"),
        (lambda: losses.mse([1.0], [1.0], reduction="average"), "'mean', 'sum' or 'none', not 'average'"),
        (lambda: losses.cross_entropy(LOGITS, CLASSES, label_smoothing=1.5), "from 0 to 1, not 1.5"),
        (lambda: losses.get("cros_entropy"), "no loss 'cros_entropy'; did you mean 'cross_entropy'"),
        (lambda: losses.get("zzz"), "known are absolute_error, "),
        (
            lambda: losses.mse(np.ones((4, 2)), np.ones((4, 2)), sample_weight=np.ones(3)),
            r"sample_weight has shape \(3,\); \(4, 2\) or \(4,\), a weight a row is expected",
        ),
        (
            lambda: losses.binary_cross_entropy_with_logits([1.0], [1.0], pos_weight=[1.0, 2.0]),
            r"pos_weight has shape \(2,\)",
        ),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises((ArgumentError, ShapeError), match=message):
        call()


def test_losses_are_found_by_name():
    for name in losses.BY_NAME:
        assert callable(losses.get(name))
    assert losses.get("mse") is losses.squared_error
    assert losses.get(losses.huber) is losses.huber


# ---- weights


CALLS = {
    "squared_error": lambda **k: losses.squared_error(LOGITS, SOFT, **k),
    "binary": lambda **k: losses.binary_cross_entropy_with_logits(LOGITS[:, 0], SOFT[:, 0], **k),
    "cross_entropy": lambda **k: losses.cross_entropy(LOGITS, CLASSES, class_weight=[1.0, 2.0, 3.0], **k),
    "soft": lambda **k: losses.cross_entropy(LOGITS, SOFT, **k),
    "kl": lambda **k: losses.kl_divergence(nn.log_softmax(LOGITS), SOFT, **k),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_weight_is_the_same_as_repeated_rows(name):
    counts = np.array([1, 3, 0, 2, 1, 1])
    rows = np.repeat(np.arange(6), counts)
    weighted = CALLS[name](sample_weight=counts)
    total = CALLS[name](sample_weight=counts, reduction="sum")
    repeated = {
        "squared_error": lambda **k: losses.squared_error(LOGITS[rows], SOFT[rows], **k),
        "binary": lambda **k: losses.binary_cross_entropy_with_logits(LOGITS[rows, 0], SOFT[rows, 0], **k),
        "cross_entropy": lambda **k: losses.cross_entropy(
            LOGITS[rows], CLASSES[rows], class_weight=[1.0, 2.0, 3.0], **k
        ),
        "soft": lambda **k: losses.cross_entropy(LOGITS[rows], SOFT[rows], **k),
        "kl": lambda **k: losses.kl_divergence(nn.log_softmax(LOGITS[rows]), SOFT[rows], **k),
    }[name]
    np.testing.assert_allclose(weighted.item(), repeated().item(), rtol=1e-12)
    np.testing.assert_allclose(total.item(), repeated(reduction="sum").item(), rtol=1e-12)


def test_ignored_rows_count_for_nothing():
    target = CLASSES.copy()
    target[[1, 4]] = -100
    kept = [0, 2, 3, 5]
    x = sw.tensor(LOGITS, requires_grad=True)
    loss = losses.cross_entropy(x, target)
    assert loss.item() == pytest.approx(losses.cross_entropy(LOGITS[kept], CLASSES[kept]).item(), rel=1e-14)
    loss.backward()
    assert not x.grad.numpy()[[1, 4]].any()
    assert losses.cross_entropy(sw.tensor(LOGITS), target, reduction="none").numpy()[[1, 4]].tolist() == [
        0.0,
        0.0,
    ]
    with pytest.raises(ArgumentError, match=r"target\[1\] is -100"):
        losses.cross_entropy(LOGITS, target, ignore_index=None)


def test_the_mean_of_no_rows_is_nan_and_the_sum_is_0():
    target = np.full(6, -100)
    assert np.isnan(losses.cross_entropy(LOGITS, target).item())
    assert losses.cross_entropy(LOGITS, target, reduction="sum").item() == 0
    assert np.isnan(losses.mse(np.ones((0, 2)), np.ones((0, 2))).item())
    assert np.isnan(losses.mse([1.0], [2.0], sample_weight=[0.0]).item())


@pytest.mark.parametrize("target", ["interpreter", "native"])
@pytest.mark.parametrize("ignored", [False, True])
def test_compiled_and_plain_cross_entropy_are_the_same(ignored, target):
    """To the bit in the interpreter, up to rounding as machine code."""
    bound = {"rtol": 0} if target == "interpreter" else {"rtol": 2e-6, "atol": 1e-7}
    classes = CLASSES.copy()
    classes[0] = -100 if ignored else 1
    x, y = sw.tensor(LOGITS.astype("float32")), sw.tensor(classes)
    for settings in ({}, {"label_smoothing": 0.1}, {"class_weight": sw.tensor([1.0, 2.0, 0.5])}):
        plain = sw.value_and_grad(lambda x: losses.cross_entropy(x, y, **settings))(x)  # noqa: B023
        compiled = sw.compile(
            lambda x, y: sw.value_and_grad(lambda x: losses.cross_entropy(x, y, **settings))(x),  # noqa: B023
            target=target,
        )(x, y)
        for a, b in zip(plain, compiled, strict=True):
            np.testing.assert_allclose(b.numpy(), a.numpy(), **bound)


# ---- numbers


def large(dtype):
    return np.array([1e4, -1e4, 1e4, -1e4, 0.0], dtype), np.array([1.0, 1.0, 0.0, 0.0, 1.0])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("loss", [*PAIRED, losses.cross_entropy, losses.kl_divergence], ids=ids)
def test_values_and_gradients_are_finite_at_ten_thousand(loss, dtype):
    x, y = large(dtype)
    if loss is losses.hinge:
        y = 2 * y - 1
    if loss in (losses.cross_entropy, losses.kl_divergence):
        x = np.stack([x, -x, np.zeros_like(x)], 1)
        y = np.eye(3)[[0, 1, 2, 0, 1]]
    wrap = nn.log_softmax if loss is losses.kl_divergence else (lambda x: x)
    for settings in ({}, {"sample_weight": np.ones(5)}):
        value, gradient = sw.value_and_grad(lambda x: loss(wrap(x), y, **settings))(sw.tensor(x))  # noqa: B023
        assert np.isfinite(value.item())
        assert np.isfinite(gradient.numpy()).all()
    second = sw.grad(lambda x: (sw.grad(lambda x: loss(wrap(x), y))(x) ** 2).sum())(sw.tensor(x))
    assert np.isfinite(second.numpy()).all()


def test_binary_cross_entropy_keeps_small_losses():
    x = np.array([20.0, -20.0], np.float32)
    terms = losses.binary_cross_entropy_with_logits(x, [1, 0], reduction="none").numpy()
    np.testing.assert_allclose(terms, np.log1p(np.exp(-20.0)), rtol=1e-6)


def test_the_curvature_of_binary_cross_entropy_at_0_is_a_quarter():
    hessian = sw.hessian(lambda x: losses.binary_cross_entropy_with_logits(x, [1.0], reduction="sum"))
    assert hessian(sw.tensor([0.0])).item() == 0.25


def test_probabilities_of_0_do_no_harm():
    x = sw.tensor([[0.0, -np.inf, 1.0]], "float64")
    q = sw.tensor(np.array([[0.5, 0.0, 0.5]]))
    assert np.isfinite(losses.cross_entropy(x, q).item())
    assert np.isfinite(losses.kl_divergence(nn.log_softmax(x), q).item())
    assert np.isfinite(sw.grad(lambda q: losses.kl_divergence(nn.log_softmax(x), q))(q).numpy()).all()
    assert losses.cross_entropy(x, sw.tensor([1]), reduction="none").item() == np.inf
    log_p, log_q = nn.log_softmax(x), sw.tensor(np.log([[0.5, 0.5, 1e-300]])).astype("float64")
    with_zero = ops.where(log_q < -100.0, -np.inf, log_q)
    assert losses.kl_divergence(log_p, with_zero, log_target=True).item() == np.inf
    assert losses.kl_divergence(log_p, log_p, log_target=True).item() == 0
    gradient = sw.grad(lambda q: losses.kl_divergence(log_p, q, log_target=True))(log_p)
    assert np.isfinite(gradient.numpy()).all()


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("loss", [*PAIRED, losses.kl_divergence], ids=ids)
def test_derivatives_agree_with_finite_differences(loss, reduction):
    prediction = RNG.normal(size=(4, 3)) * 2
    target = np.sign(RNG.normal(size=(4, 3))) if loss is losses.hinge else RNG.uniform(0.1, 0.9, (4, 3))
    weight = RNG.uniform(0.5, 2, 4)
    if loss is losses.kl_divergence:
        prediction = -abs(prediction)

    def both(x, y):
        return loss(x, y, sample_weight=weight, reduction=reduction)

    if loss in (losses.hinge, losses.absolute_error):
        sw.check_gradients(lambda x: both(x, target), prediction)
    else:
        sw.check_gradients(both, prediction, target)


@given(
    st.integers(2, 5), st.booleans(), st.sampled_from([0.0, 0.3]), st.sampled_from(["mean", "sum", "none"])
)
def test_cross_entropy_derivatives_agree_with_finite_differences(n_classes, soft, smoothing, reduction):
    rng = np.random.default_rng(n_classes)
    logits = rng.normal(size=(4, n_classes))
    settings = {
        "class_weight": rng.uniform(0.5, 2, n_classes),
        "label_smoothing": smoothing,
        "sample_weight": rng.uniform(0.5, 2, 4),
        "reduction": reduction,
    }
    if soft:
        q = rng.dirichlet(np.ones(n_classes), 4)
        sw.check_gradients(lambda x, q: losses.cross_entropy(x, q, **settings), logits, q)
    else:
        target = np.array([0, 1, -100, n_classes - 1])
        sw.check_gradients(lambda x: losses.cross_entropy(x, target, **settings), logits)


def test_losses_can_be_batched():
    def loss(x, y):
        return losses.cross_entropy(x, y)

    rows = sw.vmap(loss)(sw.tensor(LOGITS), sw.tensor(CLASSES))
    np.testing.assert_allclose(
        rows.numpy(), losses.cross_entropy(LOGITS, CLASSES, reduction="none").numpy(), rtol=1e-14
    )


# ---- as modules


def test_loss_modules_are_the_functions():
    x, y = sw.tensor(LOGITS[:, 0]), sw.tensor(SOFT[:, 0])
    pairs = [
        (nn.MSELoss("sum")(x, y), losses.squared_error(x, y, reduction="sum")),
        (nn.L1Loss()(x, y), losses.absolute_error(x, y)),
        (nn.HuberLoss(delta=0.5)(x, y), losses.huber(x, y, delta=0.5)),
        (
            nn.BCEWithLogitsLoss(pos_weight=2.0)(x, y),
            losses.binary_cross_entropy_with_logits(x, y, pos_weight=2.0),
        ),
        (
            nn.CrossEntropyLoss([1.0, 2.0, 3.0], label_smoothing=0.1)(LOGITS, CLASSES),
            losses.cross_entropy(LOGITS, CLASSES, class_weight=[1.0, 2.0, 3.0], label_smoothing=0.1),
        ),
        (nn.KLDivLoss()(nn.log_softmax(LOGITS), SOFT), losses.kl_divergence(nn.log_softmax(LOGITS), SOFT)),
    ]
    for module, function in pairs:
        assert module.item() == function.item()
    assert list(nn.CrossEntropyLoss([1.0, 2.0]).state_dict()) == ["weight"]
    assert not nn.CrossEntropyLoss().state_dict()
    assert repr(nn.MSELoss("sum")) == "MSELoss(reduction='sum')"
