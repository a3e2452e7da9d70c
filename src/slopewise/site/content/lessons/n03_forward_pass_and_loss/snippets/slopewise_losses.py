# needs: slopewise
import slopewise as sw

x, y = sw.tensor([3.0, 1.0]), sw.tensor([1.5])
W1, b1 = sw.tensor([[1.0, -1.0], [-1.0, 0.5]]), sw.tensor([0.0, 1.0])
W2, b2 = sw.tensor([[0.5, 2.0]]), sw.tensor([-0.2])

hidden = sw.relu(W1 @ x + b1)
prediction = W2 @ hidden + b2
print(f"prediction {prediction.item():.2f}, error {(prediction - y).item():.2f}")
print(f"loss {sw.losses.mse(prediction, y).item():.2f}")
print(f"slope in the prediction {sw.grad(lambda p: sw.losses.mse(p, y))(prediction).item():.2f}")

logits = sw.tensor([[2.0, -1.0, 0.5]])
slope = sw.grad(lambda z: sw.losses.cross_entropy(z, sw.tensor([0])))(logits)
print("p - y:", [round(s, 3) for s in slope.tolist()[0]])

try:
    sw.losses.mse(sw.tensor([[1.0], [2.0], [3.0]]), sw.tensor([1.0, 2.0, 3.0]))
except sw.SlopewiseError as error:
    print(error)
