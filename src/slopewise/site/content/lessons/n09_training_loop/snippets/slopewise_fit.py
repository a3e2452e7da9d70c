# needs: slopewise, numpy
import numpy as np
import slopewise as sw

x = np.linspace(-1, 1, 64, dtype=np.float32).reshape(-1, 1)
y = 2 * x - 1 + 0.1 * np.sin(40 * x)

model = sw.nn.Linear(1, 1)
optimizer = sw.optim.SGD(model.parameters(), lr=0.1)
trainer = sw.Trainer(model, loss="mse", optimizer=optimizer, seed=0)

trainer.fit(x, y, epochs=20, batch_size=16)

print(f"loss {trainer.evaluate(x, y)['loss']:.4f}")
print(f"weight {model.weight.item():.3f}, bias {model.bias.item():.3f}")
