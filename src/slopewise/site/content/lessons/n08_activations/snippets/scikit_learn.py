# needs: sklearn
from sklearn.datasets import make_moons
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

X, y = make_moons(600, noise=0.1, random_state=0)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0, stratify=y)

# "identity" is no activation: three layers, and yet no more than one straight line.
for activation in ("identity", "logistic", "tanh", "relu"):
    model = MLPClassifier((16, 16), activation=activation, solver="lbfgs", max_iter=2000, random_state=0)
    print(f"{activation:9}", round(model.fit(X_train, y_train).score(X_test, y_test), 2))
