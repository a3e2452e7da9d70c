# needs: sklearn
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import SGDRegressor
from sklearn.neural_network import MLPRegressor

warnings.simplefilter("ignore", ConvergenceWarning)  # three epochs are few, and meant to be
X = np.arange(1000).reshape(-1, 1) / 1000
y = 3 * X[:, 0] - 1

# SGDRegressor makes an update for every single row. Its t_ counts them, from 1.
lonely = SGDRegressor(max_iter=3, tol=None, random_state=0).fit(X, y)
print("SGDRegressor, three epochs:", int(lonely.t_) - 1, "updates")

# MLPRegressor takes batches of min(200, rows) unless told otherwise. Its t_ counts rows.
network = MLPRegressor(hidden_layer_sizes=(8,), max_iter=3, random_state=0).fit(X, y)
print("MLPRegressor, three epochs:", network.t_, "rows seen, in batches of", min(200, len(X)))
