# needs: tensorflow, numpy
import numpy as np
import tensorflow as tf

x = np.linspace(-1, 1, 64, dtype=np.float32).reshape(-1, 1)
y = 2 * x - 1 + 0.1 * np.sin(40 * x)

tf.keras.utils.set_random_seed(0)
model = tf.keras.Sequential([tf.keras.Input((1,)), tf.keras.layers.Dense(1)])
optimizer = tf.keras.optimizers.SGD(0.1)
loader = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(64, seed=0).batch(16)

for epoch in range(20):
    for xb, yb in loader:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(xb, training=True) - yb) ** 2)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))

weight, bias = (values.item() for values in model.get_weights())
print(f"loss {float(tf.reduce_mean((model(x, training=False) - y) ** 2)):.4f}")
print(f"weight {weight:.3f}, bias {bias:.3f}")
