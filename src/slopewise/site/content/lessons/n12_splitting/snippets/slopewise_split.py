# needs: slopewise, numpy
import numpy as np
import slopewise as sw

y = np.array(["healthy"] * 48 + ["ill"] * 16)
patient = np.repeat(np.arange(16), 4)

parts = sw.data.split(64, validation=0.2, test=0.25, stratify=y, seed=0)
for name, rows in (("train", parts.train), ("validation", parts.validation), ("test", parts.test)):
    print(f"{name:10} {len(rows)} rows, {np.mean(y[rows] == 'ill'):.0%} ill")

parts = sw.data.split(64, validation=0.2, test=0.25, groups=patient, seed=0)
print("patients on both sides:", len(set(patient[parts.train]) & set(patient[parts.test])))

for number, (train, test) in enumerate(sw.data.StratifiedKFold(4, shuffle=True, seed=0).split(y, y), 1):
    print(f"fold {number}: learns from {len(train)}, is judged on {len(test)}")
