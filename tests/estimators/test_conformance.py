"""scikit-learn's own conformance checks: none is expected to fail."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from slopewise.sklearn import MLPClassifier, MLPRegressor

ESTIMATORS = [
    MLPClassifier(max_iter=100),
    MLPClassifier(max_iter=100, solver="lbfgs"),
    MLPRegressor(max_iter=100),
]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks(ESTIMATORS)
def test_estimator_passes_the_check(estimator, check):
    check(estimator)
