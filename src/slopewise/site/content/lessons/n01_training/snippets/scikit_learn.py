# needs: sklearn
from sklearn.datasets import make_moons
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

X, y = make_moons(240, noise=0.2, random_state=5)  # collect
rest_X, test_X, rest_y, test_y = train_test_split(X, y, test_size=60, stratify=y, random_state=0)
train_X, val_X, train_y, val_y = train_test_split(
    rest_X, rest_y, test_size=60, stratify=rest_y, random_state=0
)

line = LogisticRegression()
network = MLPClassifier((8,), activation="tanh", learning_rate_init=0.02, max_iter=500, random_state=0)
rounds = []
for model in (line, network):
    pipeline = make_pipeline(StandardScaler(), model)  # prepare: fitted with the model
    pipeline.fit(train_X, train_y)  # train
    rounds.append((pipeline.score(val_X, val_y), pipeline))  # validate
    print(f"round {len(rounds)}: {rounds[-1][0]:.0%} right in validation")

_, chosen = max(rounds, key=lambda made: made[0])
print(f"test, once: {chosen.score(test_X, test_y):.0%}")
