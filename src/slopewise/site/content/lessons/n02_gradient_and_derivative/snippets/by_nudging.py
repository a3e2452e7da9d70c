# needs: numpy
import numpy as np


def bowl(w):
    return 0.5 * w[0] ** 2 + w[1] ** 2


def gradient(f, w, nudge=1e-5):
    slopes = np.zeros_like(w)
    for k in range(len(w)):  # two function values for each parameter
        there = np.zeros_like(w)
        there[k] = nudge
        slopes[k] = (f(w + there) - f(w - there)) / (2 * nudge)
    return slopes


print("gradient:  ", gradient(bowl, np.array([1.5, 0.8])).round(4).tolist())
