# needs: sklearn
from sklearn.datasets import make_moons
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

X, y = make_moons(400, noise=0.3, random_state=0)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)

network = MLPClassifier((16,), activation="tanh", learning_rate_init=0.02, max_iter=400, random_state=0)
model = make_pipeline(StandardScaler(), network)
model.fit(X_train, y_train)  # the scaler, too, sees the training rows alone

print(f"learned from {len(y_train)} rows: {model.score(X_train, y_train):.0%}")
print(f"opened once, {len(y_test)} rows: {model.score(X_test, y_test):.0%}")
