# needs: keras, numpy
import keras
import numpy as np

random = np.random.default_rng(0)
x, x_val = random.uniform(-6, 6, (16, 1)), random.uniform(-6, 6, (200, 1))
y, y_val = (np.sin(np.pi * part / 6) + 0.4 * random.normal(size=part.shape) for part in (x, x_val))

for restore in (False, True):  # False is the default
    keras.utils.set_random_seed(0)
    dense = keras.layers.Dense
    model = keras.Sequential([keras.Input((1,)), dense(32, "tanh"), dense(32, "tanh"), dense(1)])
    model.compile(optimizer=keras.optimizers.Adam(0.03), loss="mse")
    stop = keras.callbacks.EarlyStopping(patience=40, restore_best_weights=restore)
    history = model.fit(
        x, y, validation_data=(x_val, y_val), epochs=300, batch_size=16, callbacks=[stop], verbose=0
    )
    lowest, ended = min(history.history["val_loss"]), model.evaluate(x_val, y_val, verbose=0)
    print(f"restore_best_weights={restore!s:5} lowest {lowest:.2f}, the model that you hold {ended:.2f}")
