# needs: slopewise, numpy
import numpy as np
import slopewise as sw

x = np.linspace(-1, 1, 64, dtype=np.float32).reshape(-1, 1)
y = 2 * x - 1 + 0.1 * np.sin(40 * x)

model = sw.nn.Linear(1, 1)
optimizer = sw.optim.SGD(model.parameters(), lr=0.1)
loader = sw.data.DataLoader((x, y), batch_size=16, shuffle=True, seed=0)

for epoch in range(20):
    model.train()
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = sw.losses.mse(model(xb), yb)
        loss.backward()
        optimizer.step()

model.eval()
with sw.no_grad():
    print(f"loss {sw.losses.mse(model(sw.tensor(x)), sw.tensor(y)).item():.4f}")
print(f"weight {model.weight.item():.3f}, bias {model.bias.item():.3f}")
