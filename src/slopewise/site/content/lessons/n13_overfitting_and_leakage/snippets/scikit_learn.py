# needs: sklearn, numpy
import numpy as np
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

random = np.random.default_rng(0)
X = random.normal(size=(200, 2000))  # pure noise
y = np.arange(200) % 2

chosen = SelectKBest(k=8).fit_transform(X, y)  # looks at all rows, with their targets
print(f"columns chosen first: {cross_val_score(LogisticRegression(), chosen, y, cv=5).mean():.0%}")

model = make_pipeline(SelectKBest(k=8), LogisticRegression())  # chooses anew in each fold
print(f"inside a pipeline:    {cross_val_score(model, X, y, cv=5).mean():.0%}")

X[:, 0] += 1.5 * y  # now one column means something
scaled = StandardScaler().fit_transform(X[:, :2])
print(f"scaled first:         {cross_val_score(LogisticRegression(), scaled, y, cv=5).mean():.1%}")
model = make_pipeline(StandardScaler(), LogisticRegression())
print(f"inside a pipeline:    {cross_val_score(model, X[:, :2], y, cv=5).mean():.1%}")
