# needs: slopewise
import slopewise as sw

sw.manual_seed(0)
model = sw.nn.Sequential(sw.nn.Linear(3, 8), sw.nn.ReLU(), sw.nn.Dropout(0.5), sw.nn.Linear(8, 1))
row = sw.tensor([[1.0, -2.0, 0.5]])

model.train()
with sw.no_grad():  # stops the tape, not the dropout
    print("train:", [f"{model(row).item():.2f}" for _ in range(4)])

model.eval()
print("eval: ", [f"{model(row).item():.2f}" for _ in range(4)])

model(row).sum().backward()  # evaluation mode does not stop gradients
print("gradient in evaluation mode:", model[3].weight.grad is not None)
