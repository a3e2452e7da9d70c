# needs: keras, numpy
import keras
import numpy as np

logits, right = np.array([[-6.0, 6.0]], dtype=np.float32), np.array([0])

aware = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
print(f"from_logits=True, logits:       {float(aware(right, logits)):.3f}")

plain = keras.losses.SparseCategoricalCrossentropy()
print(f"default, probabilities:         {float(plain(right, keras.ops.softmax(logits))):.3f}")
print(f"default, logits by mistake:     {float(plain(right, logits)):.3f}")
