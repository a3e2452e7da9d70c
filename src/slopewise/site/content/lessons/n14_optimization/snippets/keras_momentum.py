# needs: keras, torch, numpy
import keras
import numpy as np
import torch

rates = [0.1, 0.1, 0.01, 0.01]  # the rate falls after two updates; every gradient is 1

velocity = keras.Variable(np.float32(0.0))
ours = keras.optimizers.SGD(0.1, momentum=0.9)
ours.build([velocity])
w = torch.zeros(1, requires_grad=True)
theirs = torch.optim.SGD([w], lr=0.1, momentum=0.9)

for rate in rates:
    ours.learning_rate = rate
    ours.apply([keras.ops.ones(())])
    theirs.param_groups[0]["lr"] = rate
    w.grad = torch.ones(1)
    theirs.step()
    print(f"rate {rate}: Keras {float(velocity.numpy()):.3f}, PyTorch {w.item():.3f}")
