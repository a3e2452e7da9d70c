# needs: slopewise, numpy
import numpy as np
from slopewise.evaluate import Outcome
from slopewise.evaluate.error_analysis import by_class, confusion, worst, worst_slices

names = ["ring", "square"]
truth = np.array([0] * 20 + [1] * 20)
light = np.array(["day"] * 14 + ["night"] * 6 + ["day"] * 14 + ["night"] * 6)
square = np.where(truth == 1, 0.9, 0.1) + np.where(light == "night", 0.45 - 0.9 * truth, 0.0)
square[3] = 0.97  # a ring that is surely called a square: look at its label

outcome = Outcome.of_classes(truth, np.stack([1 - square, square], axis=1))
print(confusion(outcome))
for row in by_class(outcome):
    print(f"{names[row.number]}: recall {row.recall:.2f}, precision {row.precision:.2f}")
print("worst rows:", worst(outcome, 3))
for found in worst_slices(outcome, {"light": light}):
    print(f"{found.column} = {found.value}: {found.score:.0%} of {found.rows} rows")
