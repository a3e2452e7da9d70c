# needs: sklearn, numpy
import numpy as np
from sklearn.model_selection import GroupKFold, StratifiedKFold, train_test_split

y = np.array(["healthy"] * 48 + ["ill"] * 16)
patient = np.repeat(np.arange(16), 4)
rows = np.arange(64)

# Split twice: first the test rows, then validation from the rest.
rest, test = train_test_split(rows, test_size=0.25, stratify=y, random_state=0)
train, validation = train_test_split(rest, test_size=13, stratify=y[rest], random_state=0)
for name, part in (("train", train), ("validation", validation), ("test", test)):
    print(f"{name:10} {len(part)} rows, {np.mean(y[part] == 'ill'):.0%} ill")

for number, (train, test) in enumerate(StratifiedKFold(4, shuffle=True, random_state=0).split(rows, y), 1):
    print(f"fold {number}: learns from {len(train)}, is judged on {len(test)}")

train, test = next(GroupKFold(4).split(rows, groups=patient))
print("patients on both sides:", len(set(patient[train]) & set(patient[test])))
