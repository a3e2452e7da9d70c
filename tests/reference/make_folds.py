"""Write folds.json: the folds that scikit-learn makes without shuffling.

Run in an environment of its own that has scikit-learn: `python tests/reference/make_folds.py`. The tests read
only the JSON.
"""

import json
import pathlib

import sklearn
from sklearn import model_selection

LABELS = {
    "letters": list("abcabcaabbccaaabaccb"),
    "few": [0, 0, 0, 1, 1, 2, 2, 2, 2, 0, 1, 0],
    "late": ["z"] * 7 + ["a"] * 6 + ["m"] * 8,
}
GROUPS = [3, 3, 1, 1, 1, 7, 7, 2, 5, 5, 5, 5, 2, 9, 9, 3]


def folds(splitter, rows, labels=None, groups=None):
    return [[train.tolist(), test.tolist()] for train, test in splitter.split([[0]] * rows, labels, groups)]


def main():
    cases = [
        {
            "name": "KFold",
            "arguments": {"n_splits": k},
            "rows": n,
            "folds": folds(model_selection.KFold(k), n),
        }
        for k, n in ((2, 2), (3, 10), (5, 23))
    ]
    for labels in LABELS.values():
        for k in (2, 3):
            made = folds(model_selection.StratifiedKFold(k), len(labels), labels)
            cases.append(
                {
                    "name": "StratifiedKFold",
                    "arguments": {"n_splits": k},
                    "rows": len(labels),
                    "y": labels,
                    "folds": made,
                }
            )
    for k in (2, 3, 4):
        made = folds(model_selection.GroupKFold(k), len(GROUPS), None, GROUPS)
        cases.append(
            {
                "name": "GroupKFold",
                "arguments": {"n_splits": k},
                "rows": len(GROUPS),
                "groups": GROUPS,
                "folds": made,
            }
        )
    for arguments in (
        {"n_splits": 3},
        {"n_splits": 2, "gap": 2},
        {"n_splits": 3, "test_size": 2, "max_train_size": 5},
        {"n_splits": 2, "test_size": 3, "gap": 1, "max_train_size": 4},
    ):
        made = folds(model_selection.TimeSeriesSplit(**arguments), 17)
        cases.append({"name": "TimeSeriesSplit", "arguments": arguments, "rows": 17, "folds": made})
    path = pathlib.Path(__file__).with_name("folds.json")
    path.write_text(json.dumps({"made with": f"scikit-learn {sklearn.__version__}", "cases": cases}) + "\n")


main()
