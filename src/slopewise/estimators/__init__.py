"""scikit-learn estimators over the Trainer; `slopewise.sklearn` is their public name."""

from slopewise.estimators.requirement import require_scikit_learn

require_scikit_learn()  # before the modules below, which cannot even be defined without it

from slopewise.estimators.classifier import MLPClassifier  # noqa: E402
from slopewise.estimators.regressor import MLPRegressor  # noqa: E402

__all__ = ["MLPClassifier", "MLPRegressor"]
