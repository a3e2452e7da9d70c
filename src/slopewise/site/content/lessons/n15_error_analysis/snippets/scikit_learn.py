# needs: sklearn, numpy
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix, recall_score
from sklearn.model_selection import train_test_split

X, y = load_digits(return_X_y=True)
X, X_test, y, y_test = train_test_split(X / 16, y, test_size=0.2, stratify=y, random_state=0)
X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)
model = LogisticRegression(C=0.1, max_iter=1000).fit(X_train, y_train)

said = model.predict(X_val)
matrix = confusion_matrix(y_val, said)  # rows: labels, columns: predictions
errors = matrix - np.diag(np.diag(matrix))
label, called = np.unravel_index(errors.argmax(), errors.shape)
print(f"{errors.sum()} errors of {len(y_val)}")
print(f"the largest cell: {label} taken for {called}, {errors[label, called]} times")
print("recall of", label, "is", round(recall_score(y_val, said, labels=[label], average=None)[0], 3))

# Open the cell, worst first.
inside = np.flatnonzero((y_val == label) & (said == called))
left = model.predict_proba(X_val[inside])[:, label]
for row, share in sorted(zip(inside, left), key=lambda pair: pair[1]):
    print(f"row {row}: {share:.2f} left for the label")
