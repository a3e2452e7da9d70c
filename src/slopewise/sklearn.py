"""The estimators under scikit-learn's names: `from slopewise.sklearn import MLPClassifier, MLPRegressor`.

They need the extra `sklearn`; nothing else in Slopewise imports scikit-learn.
"""

from slopewise.estimators import MLPClassifier, MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor"]
