"""What the estimators' parameters may be. They are checked by `fit`, not by the constructor.

scikit-learn's contract: `clone` and `set_params` must be able to carry any value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_random_state

from slopewise.engine.errors import ArgumentError


class Rule(NamedTuple):
    """Which values a parameter accepts, and how to say it."""

    accepts: Callable[[Any], bool]
    meaning: str


def _is_whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    if isinstance(value, bool):  # which Python counts among the numbers
        return False
    return isinstance(value, Real) and not math.isnan(value)


def _number(meaning: str, accepts: Callable[[Any], bool]) -> Rule:
    return Rule(lambda value: _is_number(value) and accepts(value), f"a number {meaning}")


def _whole_from_one() -> Rule:
    return Rule(lambda value: _is_whole(value) and value >= 1, "a whole number of at least 1")


def _one_of(*names: str) -> Rule:
    shown = ", ".join(map(repr, names[:-1])) + f" or {names[-1]!r}"
    return Rule(lambda value: isinstance(value, str) and value in names, shown)


_TRUTH = Rule(lambda value: isinstance(value, bool | np.bool_), "True or False")
_AT_LEAST_ZERO = _number("of at least 0", lambda value: 0 <= value < math.inf)
_ABOVE_ZERO = _number("above 0", lambda value: 0 < value < math.inf)
_FRACTION = _number("of at least 0 and below 1", lambda value: 0 <= value < 1)

RULES: dict[str, Rule] = {
    "loss": _one_of("squared_error", "poisson"),
    "activation": _one_of("identity", "logistic", "tanh", "relu"),
    "solver": _one_of("lbfgs", "sgd", "adam"),
    "alpha": _AT_LEAST_ZERO,
    "batch_size": Rule(
        lambda value: (isinstance(value, str) and value == "auto") or (_is_whole(value) and value >= 1),
        "'auto' or a whole number of at least 1",
    ),
    "learning_rate": _one_of("constant", "invscaling", "adaptive"),
    "learning_rate_init": _ABOVE_ZERO,
    "power_t": _AT_LEAST_ZERO,
    "max_iter": _whole_from_one(),
    "shuffle": _TRUTH,
    "tol": _AT_LEAST_ZERO,
    "verbose": Rule(
        lambda value: isinstance(value, bool | np.bool_) or (_is_whole(value) and value >= 0),
        "True, False or a whole number of at least 0",
    ),
    "warm_start": _TRUTH,
    "momentum": _number("from 0 to 1", lambda value: 0 <= value <= 1),
    "nesterovs_momentum": _TRUTH,
    "early_stopping": _TRUTH,
    "validation_fraction": _FRACTION,
    "beta_1": _FRACTION,
    "beta_2": _FRACTION,
    "epsilon": _ABOVE_ZERO,
    "n_iter_no_change": Rule(
        lambda value: (_is_whole(value) and value >= 1) or (_is_number(value) and value == math.inf),
        "a whole number of at least 1, or infinity",
    ),
    "max_fun": _whole_from_one(),
}


def check_parameters(owner: str, parameters: dict[str, Any]) -> None:
    """Raise an ArgumentError that names the first parameter outside of what it accepts.

    Examples
    --------
    >>> check_parameters("MLPClassifier", {"alpha": 0.1, "solver": "adam"})
    """
    for name, value in parameters.items():
        rule = RULES.get(name)
        if rule is not None and not rule.accepts(value):
            raise ArgumentError(f"{owner}: {name} must be {rule.meaning}, not {value!r}")
    if "hidden_layer_sizes" in parameters:
        hidden_units(owner, parameters["hidden_layer_sizes"])


def hidden_units(owner: str, hidden_layer_sizes: Any) -> tuple[int, ...]:
    """Return the units of each hidden layer; one number is one layer, and none makes a linear model.

    Examples
    --------
    >>> hidden_units("MLPClassifier", 8), hidden_units("MLPClassifier", [16, 8])
    ((8,), (16, 8))
    """
    given = tuple(hidden_layer_sizes) if isinstance(hidden_layer_sizes, Iterable) else (hidden_layer_sizes,)
    if not all(_is_whole(units) and units >= 1 for units in given):
        raise ArgumentError(
            f"{owner}: hidden_layer_sizes must be whole numbers of at least 1, not {hidden_layer_sizes!r}"
        )
    return tuple(int(units) for units in given)


def seed_of(random_state: Any) -> int:
    """Return the seed that all addresses of a fit are made of.

    An integer is the seed itself. From a RandomState one number is drawn, so that its next use differs; None
    is NumPy's own, as scikit-learn's glossary says of `random_state`.

    Raises
    ------
    ArgumentError
        If it is none of these.

    Examples
    --------
    >>> seed_of(3)
    3
    """
    if _is_whole(random_state) and random_state >= 0:
        return int(random_state)
    try:
        generator = check_random_state(random_state)
    except ValueError:
        raise ArgumentError(
            "random_state must be None, a whole number of at least 0 or a numpy.random.RandomState, "
            f"not {random_state!r}"
        ) from None
    return int(generator.randint(2**31 - 1))
