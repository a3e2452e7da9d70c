"""Makes scores.json: inputs and the values that scikit-learn gives for them.

Run in an environment of its own (`pip install scikit-learn`): python tests/reference/make_scores.py The tests
read scores.json only. Data come from the standard library's generator, so that inputs stay short to read.
"""

import json
import random
from pathlib import Path

import numpy as np
import sklearn
from sklearn import metrics as sk


def softmax(logits):
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def classification_case(name, labels, rows, generator, weighted):
    true = [labels[generator.randrange(len(labels))] for _ in range(rows)]
    true[: len(labels)] = labels
    # Rounded, so that ties occur, and dyadic, so that rows sum to one exactly.
    logits = np.array([[generator.gauss(0, 1) + 1.5 * (k == t) for k in labels] for t in true])
    prob = np.round(softmax(logits) * 64) / 64
    prob[:, -1] = 1 - prob[:, :-1].sum(axis=1)
    predicted = [labels[int(k)] for k in prob.argmax(axis=1)]
    weight = [generator.choice([0.0, 0.5, 1.0, 2.0, 3.25]) for _ in true] if weighted else None
    if weighted:
        weight[: len(labels)] = [1.0] * len(labels)
    w = {"sample_weight": weight}
    binary = len(labels) == 2
    score = prob[:, 1] if binary else prob
    per_class = {"average": None, "labels": labels, "zero_division": 0}
    values = {
        "confusion_matrix": sk.confusion_matrix(true, predicted, labels=labels, **w).tolist(),
        "accuracy": sk.accuracy_score(true, predicted, **w),
        "balanced_accuracy": sk.balanced_accuracy_score(true, predicted, **w),
        "precision": sk.precision_score(true, predicted, **per_class, **w).tolist(),
        "recall": sk.recall_score(true, predicted, **per_class, **w).tolist(),
        "f1": sk.f1_score(true, predicted, **per_class, **w).tolist(),
        "f1_macro": sk.f1_score(true, predicted, average="macro", labels=labels, zero_division=0, **w),
        "log_loss": sk.log_loss(true, prob, labels=labels, **w),
        "brier": sk.brier_score_loss(
            true, score, labels=labels, pos_label=labels[1] if binary else None, **w
        ),
        "roc_auc": sk.roc_auc_score(true, score, multi_class="ovr", average="macro", labels=labels, **w),
    }
    return {"name": name, "labels": labels, "y_true": true, "y_pred": predicted, "y_prob": prob.tolist(),
            "sample_weight": weight, "values": values}  # fmt: skip


def regression_case(name, true, predicted, weight):
    w = {"sample_weight": weight}
    values = {
        "mse": sk.mean_squared_error(true, predicted, **w),
        "rmse": sk.root_mean_squared_error(true, predicted, **w),
        "mae": sk.mean_absolute_error(true, predicted, **w),
        "r2": sk.r2_score(true, predicted, **w),
        "median_absolute_error": sk.median_absolute_error(true, predicted, **w),
    }
    return {"name": name, "y_true": true, "y_pred": predicted, "sample_weight": weight, "values": values}


def main():
    generator = random.Random(7)
    classification = [
        classification_case("two numbers", [0, 1], 25, generator, weighted=False),
        classification_case("two numbers, weighted", [0, 1], 25, generator, weighted=True),
        classification_case("four words", ["ant", "bee", "cat", "dog"], 30, generator, weighted=False),
        classification_case(
            "four words, weighted", ["ant", "bee", "cat", "dog"], 30, generator, weighted=True
        ),
    ]
    true = [round(generator.gauss(10, 3), 2) for _ in range(17)]
    predicted = [round(t + generator.gauss(0, 1), 2) for t in true]
    weight = [generator.choice([0.0, 0.5, 1.0, 2.0]) for _ in true]
    regression = [
        regression_case("odd rows", true, predicted, None),
        regression_case("even rows", true[:16], predicted[:16], None),
        regression_case("weighted", true, predicted, weight),
        regression_case("constant, wrong", [3.0, 3.0, 3.0], [3.0, 3.0, 4.0], None),
        regression_case("constant, right", [3.0, 3.0, 3.0], [3.0, 3.0, 3.0], None),
    ]
    record = {"scikit-learn": sklearn.__version__, "classification": classification, "regression": regression}
    Path(__file__).with_name("scores.json").write_text(json.dumps(record, indent=None) + "\n")


if __name__ == "__main__":
    main()
