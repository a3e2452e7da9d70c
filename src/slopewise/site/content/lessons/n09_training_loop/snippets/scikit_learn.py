# needs: sklearn, numpy
import numpy as np
from sklearn.linear_model import SGDRegressor
from sklearn.metrics import mean_squared_error

x = np.linspace(-1, 1, 64, dtype=np.float32).reshape(-1, 1)
y = (2 * x - 1 + 0.1 * np.sin(40 * x)).ravel()

model = SGDRegressor(penalty=None, learning_rate="constant", eta0=0.05, random_state=0)

for epoch in range(20):
    model.partial_fit(x, y)  # one epoch: an update for each row

print(f"loss {mean_squared_error(y, model.predict(x)):.4f}")
print(f"weight {model.coef_[0]:.3f}, bias {model.intercept_[0]:.3f}")
