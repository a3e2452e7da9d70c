# needs: slopewise
import numpy as np

import slopewise as sw

X = np.arange(1000, dtype=np.float32).reshape(-1, 1) / 1000
y = 3 * X - 1

for batch_size in ("full", 32, 1):
    loader = sw.data.DataLoader((X, y), batch_size=batch_size, shuffle=True, seed=0)
    sizes = [len(xb) for xb, yb in loader]
    print(f"batch size {batch_size!s:>4}: {len(loader):4} updates an epoch, the last on {sizes[-1]} rows")

for batch_size in ("full", 32, 1):
    sw.manual_seed(0)
    model = sw.nn.Linear(1, 1)
    optimizer = sw.optim.SGD(model.parameters(), lr=0.05)  # SGD is the update rule, whatever the batch
    trainer = sw.Trainer(model, loss="mse", optimizer=optimizer, seed=0)
    trainer.fit(X, y, epochs=3, batch_size=batch_size)
    print(f"batch size {batch_size!s:>4}: loss after three epochs {trainer.evaluate(X, y)['loss']:.4f}")
