# needs: keras, numpy
import keras
import numpy as np

keras.utils.set_random_seed(0)
row = np.array([[1.0, -2.0, 0.5]], dtype="float32")
hidden, last = keras.layers.Dense(8, "relu"), keras.layers.Dense(1)
model = keras.Sequential([keras.Input((3,)), hidden, keras.layers.Dropout(0.5), last])

# No mode is kept: each call says it. fit calls with training=True, evaluate and predict with False.
print("training=True: ", [f"{float(model(row, training=True)[0, 0]):.2f}" for _ in range(4)])
print("training=False:", [f"{float(model(row, training=False)[0, 0]):.2f}" for _ in range(4)])
print("said nothing:  ", [f"{float(model(row)[0, 0]):.2f}" for _ in range(4)])

norm = keras.layers.BatchNormalization()
print("momentum:", norm.momentum, "(the share that stays; PyTorch's 0.1 is the share that is new)")
