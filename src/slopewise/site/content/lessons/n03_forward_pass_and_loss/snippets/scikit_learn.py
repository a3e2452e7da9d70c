# needs: sklearn, numpy
import numpy as np
from sklearn.metrics import accuracy_score, log_loss

right = np.array([0, 1, 1, 0])
careful = np.array([0.3, 0.7, 0.8, 0.6])  # the last row is wrong, by a little
reckless = np.array([0.3, 0.7, 0.8, 0.999])  # the last row is wrong, and sure of it

for name, probability in (("careful", careful), ("reckless", reckless)):
    accuracy = accuracy_score(right, probability > 0.5)
    print(f"{name:9} accuracy {accuracy:.0%}, loss {log_loss(right, probability):.3f}")
