# needs: keras, sklearn, numpy
import keras
import numpy as np
from sklearn.datasets import load_iris


def score_on_held_back(X, y):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(16, "tanh"), keras.layers.Dense(3)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(0.02), loss=loss, metrics=["accuracy"])
    history = model.fit(X, y, epochs=40, batch_size=32, validation_split=0.3, verbose=0)
    return history.history["val_accuracy"][-1]


X, y = load_iris(return_X_y=True)  # 150 flowers, sorted by species, as many files are
print(f"as the file lies: {score_on_held_back(X, y):.0%}")

by_lot = np.random.default_rng(0).permutation(len(y))  # shuffle both by the same row numbers
print(f"shuffled first:   {score_on_held_back(X[by_lot], y[by_lot]):.0%}")
