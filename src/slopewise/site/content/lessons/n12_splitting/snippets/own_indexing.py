# needs: numpy
import numpy as np

X = np.arange(64 * 2).reshape(64, 2)
y = np.array(["healthy"] * 48 + ["ill"] * 16)

# One order, drawn once and kept: X and y are cut by the same row numbers.
order = np.random.default_rng(0).permutation(64)
test, validation, train = order[:16], order[16:29], order[29:]

X_train, y_train = X[train], y[train]
X_test, y_test = X[test], y[test]

print(len(train), len(validation), len(test))
print("all rows once:", sorted(np.concatenate([train, validation, test])) == list(range(64)))

# The mistake to avoid: shuffling X and y apart. Every row then has somebody else's label.
wrong = y[np.random.default_rng(1).permutation(64)][test]
print(f"labels that still fit: {np.mean(wrong == y_test):.0%}")
