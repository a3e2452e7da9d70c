"""The exported script: a complete program with the same calls, which prints the same losses."""

from __future__ import annotations

import inspect
import json

from slopewise.site.playground import custom_trainer, plan
from slopewise.site.playground.by_hand import set_by_hand
from slopewise.site.playground.design import Design
from slopewise.site.playground.rows import NOISE_CALL
from slopewise.site.playground.targets import OVER_A_SQUARE

_COLUMNS = {
    "x1": "x1",
    "x2": "x2",
    "x1x1": "x1 * x1",
    "x2x2": "x2 * x2",
    "x1x2": "x1 * x2",
    "sin1": "np.sin(x1)",
    "sin2": "np.sin(x2)",
}


def program(design: Design, step: int) -> str:
    """Return a script that trains this design for some updates and prints what the page shows."""
    lines = [
        '"""Made by the Slopewise playground. It prints the losses that the page shows."""',
        "",
        "import numpy as np",
        "",
        "import slopewise as sw",
    ]
    if design.data in OVER_A_SQUARE:
        lines += ["from slopewise.data.generated import normal", "", ""]
        lines += inspect.getsource(OVER_A_SQUARE[design.data]).rstrip().split("\n") + [""]
    lines += ["", f"UPDATES = {step}", "", *_data(design), ""]
    if design.has_custom_update:
        source = inspect.getsource(custom_trainer.CustomTrainer).rstrip().split("\n")
        lines += ["", *(line.partition("  # type: ignore")[0] for line in source), "", ""]
    if design.edits:
        source = inspect.getsource(set_by_hand).rstrip().split("\n")
        lines += ["", *source, "", "", f"EDITS = {plan.edits_of(design)!r}", ""]
    lines += [
        *_model(design, "CustomTrainer" if design.has_custom_update else "sw.Trainer"),
        "",
        *_loop(design),
    ]
    return "\n".join(lines) + "\n"


def _data(design: Design) -> list[str]:
    n_validation, n_test = plan.split_sizes(design)
    seed = design.whole("data_seed")
    stratify = ", stratify={}" if design.has_classes else "{:.0}"
    lines = _own_rows(design) if design.own else [f"X, y = {plan.data_call(design).code()}"]
    if design.data in OVER_A_SQUARE and design.has_classes:
        lines += [
            f"y = {design.data}(X)",
            f"X = X + {design.noise!r} * normal(2 * len(X), {seed}, {NOISE_CALL}).reshape(-1, 2)",
            "X = X.astype(np.float32)",
        ]
    elif design.data in OVER_A_SQUARE:
        lines += [
            f"y = {design.data}(X) + {design.noise!r} * normal(len(X), {seed}, {NOISE_CALL})",
            "y = y.astype(np.float32)",
        ]
    lines += [
        "X_rest, X_test, y_rest, y_test = sw.data.train_test_split(",
        f"    X, y, test_size={n_test}{stratify.format('y')}, seed={seed}",
        ")",
        "X_train, X_validation, y_train, y_validation = sw.data.train_test_split(",
        f"    X_rest, y_rest, test_size={n_validation}{stratify.format('y_rest')}, seed={seed}",
        ")",
        "",
        "",
    ]
    if design.places <= 2:
        lines += [
            "def inputs(X):",
            "    x1, x2 = X[:, 0], X[:, -1]",
            f"    return np.stack([{', '.join(_COLUMNS[name] for name in design.features)}], axis=1)"
            ".astype(np.float32)",
            "",
            "",
            "X_train, X_validation, X_test = inputs(X_train), inputs(X_validation), inputs(X_test)",
        ]
    if design.is_standardised:
        lines += [
            "mean, deviation = X_train.mean(axis=0), X_train.std(axis=0)",
            "deviation = np.where(deviation > 0, deviation, np.float32(1))",
            "X_train, X_validation = (X_train - mean) / deviation, (X_validation - mean) / deviation",
            "X_test = (X_test - mean) / deviation",
        ]
    return lines


def _own_rows(design: Design) -> list[str]:
    """Return lines that hold the rows themselves, so that the script needs no file."""
    own = design.own
    assert own is not None
    kind = "np.int64" if own.classes else "np.float32"
    rows = [f"    {[*row, target]!r}," for row, target in zip(own.rows, own.targets)]
    about = f"# {', '.join(map(repr, own.inputs))}, then {own.target!r}"
    if own.classes:
        about += f" (0 to {len(own.classes) - 1}: {', '.join(map(repr, own.classes))})"
    return [
        about,
        "ROWS = [",
        *rows,
        "]",
        "X = np.asarray([row[:-1] for row in ROWS], np.float32)",
        f"y = np.asarray([row[-1] for row in ROWS], {kind})",
    ]


def _model(design: Design, trainer: str) -> list[str]:
    keywords = "".join(f", {name}={_written(value)}" for name, value in plan.trainer_keywords(design).items())
    layers = [f"    {layer.code()}," for layer in plan.model_call(design).arguments]
    return [
        f"sw.manual_seed({design.whole('seed')})",
        "model = sw.nn.Sequential(",
        *layers,
        ")",
        f"optimizer = {plan.optimizer_call(design).code()}",
        f"trainer = {trainer}(model, optimizer=optimizer{keywords})",
        *(["set_by_hand(model, EDITS, 0)"] if design.edits else []),
        *([f"trainer.l1 = {design.number('l1')!r}"] if design.number("l1") else []),
    ]


def _written(value: object) -> str:
    return json.dumps(value) if isinstance(value, str | list) else repr(value)


def _loop(design: Design) -> list[str]:
    callback = plan.callback_call(design)
    extra = (
        f", validation=(X_validation, y_validation), callbacks=[{callback.code()}]"
        if callback is not None
        else ""
    )
    shuffle = "" if design.values["shuffle"] else ", shuffle=False"
    wanted = design.whole("batch")
    return [
        f'batch_size = {wanted} if {wanted} < len(y_train) else "full"',
        f"trainer.begin(X_train, y_train, epochs=max(UPDATES, 1), batch_size=batch_size{shuffle}{extra})",
        "while trainer.step < UPDATES:",
        "    if not trainer.advance():  # the epoch's batches are used up",
        "        trainer.finish_epoch()",
        *(["    else:", "        set_by_hand(model, EDITS, trainer.step)"] if design.edits else []),
        "",
        'for name, part in ("training", (X_train, y_train)), ("validation", (X_validation, y_validation)):',
        "    print(name, trainer.evaluate(*part))",
        "# The test set judges once, when every choice has been made:",
        '# print("test", trainer.evaluate(X_test, y_test))',
    ]
