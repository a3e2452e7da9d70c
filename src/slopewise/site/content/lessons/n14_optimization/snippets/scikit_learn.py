# needs: sklearn
import warnings

from sklearn.datasets import load_breast_cancer
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

X, y = load_breast_cancer(return_X_y=True)
X, X_val, y, y_val = train_test_split(X, y, test_size=0.4, stratify=y, random_state=0)
warnings.simplefilter("ignore", ConvergenceWarning)  # 30 epochs are few on purpose

# Each rule is compared at its own best of four learning rates, on the validation rows.
for solver in ("sgd", "adam"):
    scores = {}
    for rate in (0.001, 0.01, 0.1, 0.5):
        net = MLPClassifier(
            (16,), solver=solver, learning_rate_init=rate, alpha=1e-4, max_iter=30, random_state=0
        )
        scores[rate] = make_pipeline(StandardScaler(), net).fit(X, y).score(X_val, y_val)
    print(solver, {rate: round(score, 3) for rate, score in scores.items()})
