# needs: keras, numpy
import keras
import numpy as np

x = np.linspace(-1, 1, 64, dtype=np.float32).reshape(-1, 1)
y = 2 * x - 1 + 0.1 * np.sin(40 * x)

keras.utils.set_random_seed(0)
model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")

model.fit(x, y, epochs=20, batch_size=16, verbose=0)

weight, bias = (values.item() for values in model.get_weights())
print(f"loss {model.evaluate(x, y, verbose=0):.4f}")
print(f"weight {weight:.3f}, bias {bias:.3f}")
