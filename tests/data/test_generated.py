"""Generated data sets are what they say, and the same arguments give the same bits."""

import hashlib

import numpy as np
import pytest

from slopewise.data import GENERATED_KINDS, Table, generate, generate_table, read_table
from slopewise.data.generated import class_sizes, normal, uniform
from slopewise.engine.errors import ArgumentError

CLASSIFICATION = ["blobs", "moons", "circles", "spirals", "checkerboard"]
MANY_CLASSES = ["blobs", "circles", "spirals", "checkerboard"]


def bits(kind, **options):
    return b"".join(array.tobytes() for array in generate(kind, **options))


@pytest.mark.parametrize("kind", GENERATED_KINDS)
def test_the_same_arguments_give_the_same_bits_and_another_seed_others(kind):
    assert bits(kind, seed=3) == bits(kind, seed=3)
    assert bits(kind, seed=3) != bits(kind, seed=4)


@pytest.mark.parametrize("kind", GENERATED_KINDS)
def test_shapes_and_dtypes_are_those_of_a_model(kind):
    X, y = generate(kind, n=64)
    assert X.dtype == np.float32
    assert y.dtype == (np.int64 if kind in CLASSIFICATION else np.float32)
    assert X.ndim == 2
    assert len(X) == len(y) == 64
    assert np.isfinite(X).all()


@pytest.mark.parametrize("kind", MANY_CLASSES)
@pytest.mark.parametrize("classes", [2, 3, 7])
def test_classes_and_imbalance_are_as_asked_for(kind, classes):
    _, y = generate(kind, n=210, classes=classes)
    assert np.bincount(y).tolist() == [210 // classes] * classes
    _, y = generate(kind, n=210, classes=classes, imbalance=5)
    counts = np.bincount(y)
    assert (np.diff(counts) < 0).all()
    assert counts[0] / counts[-1] == pytest.approx(5, rel=0.15)


@pytest.mark.parametrize("kind", GENERATED_KINDS)
def test_a_share_of_input_cells_is_missing(kind):
    X, y = generate(kind, n=100, missing=0.13)
    assert np.isnan(X).sum() == round(0.13 * X.size)
    assert not np.isnan(y).any()
    whole, same = generate(kind, n=100)
    assert np.array_equal(X[~np.isnan(X)], whole[~np.isnan(X)])
    assert np.array_equal(y, same)


def test_rows_come_in_random_order():
    _, y = generate("moons", n=200)
    assert 60 < (np.diff(y) != 0).sum() < 140


def test_blobs_are_round_and_6_apart():
    X, y = generate("blobs", n=3000, classes=4, features=3)
    centres = np.array([X[y == code].mean(axis=0) for code in range(4)])
    assert np.linalg.norm(centres[0] - centres[1]) == pytest.approx(6, abs=0.2)
    assert X[y == 2].std(axis=0) == pytest.approx(np.ones(3), abs=0.1)


def test_moons_lie_on_their_half_circles():
    X, y = generate("moons", noise=0)
    assert np.hypot(*X[y == 0].T) == pytest.approx(1)
    assert np.hypot(*(X[y == 1] - [1, 0.5]).T) == pytest.approx(1)
    assert (X[y == 0][:, 1] >= 0).all()


def test_circles_have_their_radii():
    X, y = generate("circles", classes=3, noise=0)
    assert np.hypot(*X.T) == pytest.approx((y + 1) / 3)


def test_arms_of_spirals_are_turned_copies():
    X, y = generate("spirals", n=1000, noise=0)
    radius = np.hypot(*X.T)
    turn = np.arctan2(X[:, 1], X[:, 0]) / (2 * np.pi) - 1.5 * radius - y / 2
    assert np.abs(turn - np.round(turn)).max() < 1e-5


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_squares_of_the_checkerboard_have_one_class_and_are_all_filled(classes):
    X, y = generate("checkerboard", n=4000, classes=classes)
    side = max(4, classes)
    square = np.floor(X + side / 2)
    assert np.array_equal(np.mod(square.sum(axis=1), classes), y)
    assert len(np.unique(square, axis=0)) == side * side


def test_noise_is_the_deviation_of_the_target_of_a_regression():
    X, y = generate("sine", n=4000, noise=0.25)
    assert (y - np.sin(X[:, 0])).std() == pytest.approx(0.25, rel=0.05)
    assert np.abs(X).max() <= np.float32(np.pi)
    X, y = generate("linear", n=4000, noise=0.0, features=5)
    solution, *_ = np.linalg.lstsq(np.column_stack([X, np.ones(len(X))]), y, rcond=None)
    assert solution[-1] == pytest.approx(1, abs=1e-4)
    assert X @ solution[:5] + 1 == pytest.approx(y, abs=1e-4)


def test_more_noise_moves_the_same_points():
    quiet, loud = generate("moons", noise=0.0)[0], generate("moons", noise=0.1)[0]
    louder = generate("moons", noise=0.2)[0]
    assert louder - quiet == pytest.approx(2 * (loud - quiet), abs=1e-5)


def test_uniform_and_normal_numbers_have_their_moments():
    numbers = uniform(20_000, seed=1, call=9)
    assert numbers.min() >= 0
    assert numbers.max() < 1
    assert [numbers.mean(), numbers.var()] == pytest.approx([1 / 2, 1 / 12], abs=0.005)
    numbers = normal(20_000, seed=1, call=9)
    assert [numbers.mean(), numbers.var(), (numbers**4).mean()] == pytest.approx([0, 1, 3], abs=0.1)


def test_uniform_bits_are_on_record():
    digest = hashlib.sha256(uniform(100, seed=5, call=2).tobytes()).hexdigest()
    assert digest == "e2d85f84ee5d647eef85abe4f66d7c85005360fa9b7f7922e0abc3d6bc15e87d"


@pytest.mark.parametrize(
    ("n", "classes", "imbalance"), [(5, 5, 100.0), (7, 3, 1.0), (1000, 6, 1e9), (2, 2, 3.0)]
)
def test_sizes_of_classes_fill_the_rows_with_at_least_one_each(n, classes, imbalance):
    sizes = class_sizes(n, classes, imbalance)
    assert sizes.sum() == n
    assert sizes.min() >= 1
    assert (np.diff(sizes) <= 0).all()


@pytest.mark.parametrize("kind", GENERATED_KINDS)
def test_a_generated_table_goes_through_a_file(kind, tmp_path):
    table = generate_table(kind, n=40, missing=0.1)
    assert isinstance(table, Table)
    path = tmp_path / "generated.csv"
    table.frame.write_csv(path)
    again = read_table(path)
    X, y = generate(kind, n=40, missing=0.1)
    assert again.names == [f"x{number + 1}" for number in range(X.shape[1])] + [
        "class" if kind in CLASSIFICATION else "y"
    ]
    for number in range(X.shape[1]):
        assert np.array_equal(
            again[f"x{number + 1}"].to_numpy().astype(np.float32), X[:, number], equal_nan=True
        )
    if kind in CLASSIFICATION:
        assert again["class"].to_list() == ["abc"[code] for code in y]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "moon"}, "no generated data set 'moon'; kinds are blobs, moons"),
        ({"kind": "moons", "n": 0}, "n is a whole number"),
        ({"kind": "moons", "n": 2.5}, "n is a whole number"),
        ({"kind": "moons", "noise": -1}, "noise is a number of at least 0"),
        ({"kind": "moons", "noise": float("nan")}, "noise is a number of at least 0"),
        ({"kind": "moons", "classes": 3}, "moons has 2 classes, not 3"),
        ({"kind": "blobs", "classes": 1}, "classes is a whole number of at least 2"),
        ({"kind": "blobs", "classes": 9, "n": 5}, "5 rows are too few for 9 classes"),
        ({"kind": "blobs", "imbalance": 0.5}, "imbalance is a number of at least 1"),
        ({"kind": "blobs", "missing": 1.0}, "missing is a share"),
        ({"kind": "blobs", "features": 1}, "features of blobs is a whole number of at least 2"),
        ({"kind": "moons", "features": 3}, "moons has 2 features, not 3"),
        ({"kind": "sine", "classes": 2}, "sine is a regression"),
        ({"kind": "linear", "imbalance": 2.0}, "linear is a regression"),
    ],
)
def test_what_cannot_be_generated_says_why(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        generate(**arguments)
