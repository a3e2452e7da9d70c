# needs: keras, sklearn
import keras
from sklearn.datasets import make_moons
from sklearn.model_selection import train_test_split

X, y = make_moons(240, noise=0.2, random_state=5)  # collect
rest_X, test_X, rest_y, test_y = train_test_split(X, y, test_size=60, stratify=y, random_state=0)
train_X, val_X, train_y, val_y = train_test_split(
    rest_X, rest_y, test_size=60, stratify=rest_y, random_state=0
)
mean, spread = train_X.mean(axis=0), train_X.std(axis=0)  # prepare
train_X, val_X, test_X = ((part - mean) / spread for part in (train_X, val_X, test_X))

keras.utils.set_random_seed(0)
model = keras.Sequential(
    [keras.Input((2,)), keras.layers.Dense(8, activation="tanh"), keras.layers.Dense(1, activation="sigmoid")]
)
model.compile(optimizer=keras.optimizers.Adam(0.02), loss="binary_crossentropy", metrics=["accuracy"])

history = model.fit(train_X, train_y, epochs=80, batch_size=32, validation_data=(val_X, val_y), verbose=0)
print(f"validation: {history.history['val_accuracy'][-1]:.0%}")
print(f"test, once: {model.evaluate(test_X, test_y, verbose=0)[1]:.0%}")
