# needs: keras, jax
import keras
import numpy as np

X = np.arange(1000, dtype=np.float32).reshape(-1, 1) / 1000
y = 3 * X - 1


class CountUpdates(keras.callbacks.Callback):
    """Counts the batches that fit goes through."""

    updates = 0

    def on_train_batch_end(self, batch, logs=None):
        self.updates += 1


for batch_size in (1000, 32):  # 32 is what fit takes if you say nothing
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(0.05), loss="mse")
    counter = CountUpdates()
    model.fit(X, y, epochs=3, batch_size=batch_size, verbose=0, callbacks=[counter])
    print(f"batch size {batch_size:4}: {counter.updates} updates in three epochs")
