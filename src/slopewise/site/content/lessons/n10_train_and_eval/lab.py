"""The lab of the two modes: the same row, ten times in each."""

from __future__ import annotations

from slopewise.site.content.lessons.n10_train_and_eval.modes import (
    CALLS,
    LAYERS,
    ROW,
    SCORED,
    UNITS,
    Call,
    Record,
    observe,
)
from slopewise.site.content.lessons.n10_train_and_eval.pictures import Pictures
from slopewise.site.drawing import brief
from slopewise.site.labs import Choice, Code, Figure, Frame, Lab, Number, Prediction, Table, Values, Whole

_ALIKE = 1e-4  # answers that differ by less are the same
_LINES = (
    "model.train()  # or: eval() forgotten",
    "with no_grad():",
    "    for call in range(10):",
    "        answer = model(batches[call])[0]",
    "model.eval()",
    "with no_grad():",
    "    for call in range(10):",
    "        answer = model(batches[call])[0]",
)
_CURRENT = {"train": 3, "eval": 7}


def run(values: Values) -> list[Frame]:
    """Train the network, call it, and show each call."""
    layer, p, batch = str(values["layer"]), float(values["p"]), int(values["batch"])
    record = observe(layer, p, batch, float(values["shift"]), int(values["seed"]))
    return _Show(record, layer, p, batch).frames()


class _Show:
    """Turns what was seen into frames."""

    def __init__(self, record: Record, layer: str, p: float, batch: int) -> None:
        self.record, self.layer, self.p, self.batch = record, layer, p, batch
        self.calls = record.calls
        self.pictures = Pictures(record, layer)
        self.switch = sum(call.mode == "train" for call in self.calls)  # calls before eval()

    @property
    def is_batchnorm(self) -> bool:
        return self.layer == "batchnorm"

    @property
    def refused(self) -> bool:
        return bool(self.calls[0].refusal)

    def frames(self) -> list[Frame]:
        made = [self._frame(number) for number in range(len(self.calls) + 1)]
        return [*made, self._scores()]

    def _frame(self, number: int) -> Frame:
        """Show the first so many calls."""
        figures = (
            Figure(
                self.pictures.caption(),
                self.pictures.batches(number) if self.is_batchnorm else self.pictures.units(number),
            ),
            Figure("Answers. Plain: training mode; blue: evaluation mode", self.pictures.answers(number)),
        )
        return Frame(
            title=self._title(number),
            words=self._start() if number == 0 else self._words(number),
            code=Code(
                _LINES, 0 if number == 0 else _CURRENT[self.calls[number - 1].mode], self._variables(number)
            ),
            figures=figures,
            table=self._table(number),
            prediction=self._prediction(number),
        )

    # ---- words

    def _title(self, number: int) -> str:
        if number == 0:
            return "The trained network"
        call = self.calls[number - 1]
        if call.mode == "train":
            return f"Training mode, call {number}"
        return f"Evaluation mode, call {number - self.switch}"

    def _start(self) -> str:
        layer = LAYERS[self.layer] + (f" (p = {brief(self.p)})" if self.layer == "dropout" else "")
        return (
            f"A network of {UNITS} hidden units with {layer} was trained on a sine. In evaluation mode it "
            f"answers {brief(self.record.before)} for x = {brief(ROW)}. Now it is put back into training "
            f"mode, and asked for the same row again, {self._in_company()}."
        )

    def _in_company(self) -> str:
        if self.batch == 1:
            return "alone in its batch"
        return f"in a batch with {self.batch - 1} other rows, new ones at each call"

    def _words(self, number: int) -> str:
        call = self.calls[number - 1]
        if call.refusal:
            return (
                f"The library refuses: “{call.refusal}.” The mean of one value is that value and its spread "
                "is zero, so nothing would be left of the row. In evaluation mode the same call is no "
                "problem."
            )
        assert call.answer is not None
        answer = f"The answer is {brief(call.answer)}."
        if self.layer == "dropout":
            kept = sum(value != 0 for value in call.passed)
            if call.mode == "train":
                return (
                    f"{answer} {kept} of {UNITS} units were kept, and divided by {brief(1 - self.p)} to make "
                    "up for the others. Another call, another draw."
                )
            return f"{answer} All {UNITS} units take part, as they are. Nothing is drawn."
        if self.is_batchnorm:
            if call.mode == "train":
                return (
                    f"{answer} The row was normalised with the mean of this batch, {brief(call.used)} for "
                    "unit 1; its answer hangs on its company. And the running mean moved, to "
                    f"{brief(call.running)}, although nothing is being trained."
                )
            return (
                f"{answer} The row was normalised with the running mean, {brief(call.used)} for unit 1, "
                "which stays where it is. The company does not matter."
            )
        return (
            f"{answer} Layer norm uses this row's own units, in both modes alike: no draw, no company, "
            "no memory."
        )

    def _variables(self, number: int) -> list[tuple[str, str]]:
        call = self.calls[number - 1] if number else None
        shown = [("model.training", "True" if call is None or call.mode == "train" else "False")]
        if call is None:
            answer = "none yet"
        else:
            answer = "refused" if call.answer is None else brief(call.answer)
        shown.append(("answer", answer))
        if self.is_batchnorm:
            known = call is not None and not call.refusal
            shown.append(("running_mean[0]", brief(call.running) if known and call else "as trained"))
        if self.layer == "dropout":
            kept = "all" if call is None else str(sum(value != 0 for value in call.passed))
            shown.append(("units kept", kept if call is not None else "none drawn yet"))
        return shown

    # ---- predictions

    def _prediction(self, number: int) -> Prediction | None:
        if number == 0:
            return self._same_or_not()
        if number == self.switch:
            return self._after_eval()
        if number == len(self.calls) and not self.refused:
            return self._which_score()
        return None

    def _same_or_not(self) -> Prediction:
        answers = self.record.answers("train")
        if self.refused:
            answer, because = 2, "Batch norm needs more than one row to take a mean of."
        else:
            spread = max(answers) - min(answers)
            answer = 0 if spread < _ALIKE else 1
            because = f"They run from {brief(min(answers))} to {brief(max(answers))}."
            if answer == 0:
                because = f"All are {brief(answers[0])}: here the mode switches nothing."
        return Prediction(
            f"The weights stand still. The same row is asked for in **training mode**, {self._in_company()}. "
            "What will the answers be?",
            ("All the same", "They differ from call to call", "The library refuses the call"),
            answer,
            because,
        )

    def _after_eval(self) -> Prediction:
        answers = self.record.answers("eval")
        moved = abs(answers[0] - self.record.before)
        same = max(answers) - min(answers) < _ALIKE
        return Prediction(
            f"Now `model.eval()`. Before all this, it answered {brief(self.record.before)}. What will it "
            "answer now?",
            (
                "Always the same, and what it answered before",
                "Always the same, but something else than before",
                "It differs from call to call",
            ),
            2 if not same else 0 if moved < _ALIKE else 1,
            f"It answers {brief(answers[0])} each time; before, it was {brief(self.record.before)}."
            + (" The calls in training mode moved the running statistics." if moved >= _ALIKE else ""),
        )

    def _which_score(self) -> Prediction:
        mean = sum(self.record.train_losses) / len(self.record.train_losses)
        ratio = mean / self.record.eval_loss
        return Prediction(
            f"The network as it was trained is scored on {SCORED} validation rows, once in each mode. "
            "Which loss is lower?",
            ("In training mode", "The same, within 5%", "In evaluation mode"),
            1 if abs(ratio - 1) <= 0.05 else 2 if ratio > 1 else 0,
            f"It is {brief(mean, 3)} in training mode and {brief(self.record.eval_loss, 3)} in evaluation "
            "mode.",
        )

    # ---- the last frame

    def _scores(self) -> Frame:
        record = self.record
        if record.train_losses:
            mean = sum(record.train_losses) / len(record.train_losses)
            ratio = mean / record.eval_loss
            words = (
                f"On {SCORED} validation rows the trained network has a loss of {brief(record.eval_loss, 3)} "
                f"in evaluation mode. With `eval()` forgotten it is {brief(mean, 3)}"
            )
            words += (
                ": no difference, for here the mode switches nothing."
                if abs(ratio - 1) <= 1e-3
                else f", {brief(ratio, 2)} times as much. Not one weight is different."
            )
        else:
            words = (
                f"On {SCORED} validation rows the trained network has a loss of {brief(record.eval_loss, 3)} "
                "in evaluation mode. In training mode single rows are refused, so there is no score."
            )
        if self.is_batchnorm and not self.refused:
            moved = record.answers("eval")[0] - record.before
            words += (
                f" Worse: the {CALLS} calls in training mode changed the model. For x = {brief(ROW)} it "
                f"answers {brief(abs(moved), 2)} {'more' if moved > 0 else 'less'} than before, for good."
            )
        number = len(self.calls)
        return Frame(
            title="A score in the wrong mode",
            words=words,
            figures=(
                Figure(f"Loss of {SCORED} validation rows, by mode", self.pictures.losses()),
                Figure("Answers. Plain: training mode; blue: evaluation mode", self.pictures.answers(number)),
            ),
            table=Table(
                "Loss of the validation rows",
                ("Mode", "Loss"),
                [
                    *(
                        (f"training, time {k + 1}", brief(loss, 4))
                        for k, loss in enumerate(record.train_losses)
                    ),
                    ("evaluation", brief(record.eval_loss, 4)),
                ],
            ),
        )

    # ---- the table

    def _table(self, number: int) -> Table:
        rows = [
            (
                str(k + 1),
                "training" if call.mode == "train" else "evaluation",
                "refused" if call.answer is None else brief(call.answer),
                self._inside(call),
            )
            for k, call in enumerate(self.calls[:number])
        ]
        inside = {"dropout": "Units kept", "batchnorm": "Mean used, running mean", "layernorm": "Units"}[
            self.layer
        ]
        return Table(
            "The calls",
            ("Call", "Mode", "Answer", inside),
            rows or [("none yet", "training", "not yet", "not yet")],
            current=number - 1 if number else None,
        )

    def _inside(self, call: Call) -> str:
        if call.refusal:
            return "none"
        if self.is_batchnorm:
            return f"{brief(call.used)}, {brief(call.running)}"
        return str(sum(value != 0 for value in call.passed))


LAB = Lab(
    title="The same row, ten times",
    task="Ask for one row again and again, first in training mode, then in evaluation mode. Say what will "
    "change. Then take batch norm, and look at what a call leaves behind.",
    settings=(
        Choice("layer", "Layer", "dropout", tuple(LAYERS.items())),
        Number("p", "Dropout: p", 0.3, 0.0, 0.8, 0.05, note="share of units dropped"),
        Whole("batch", "Batch size", 8, 1, 64, note="our row and its company"),
        Number("shift", "Company from elsewhere", 0.0, 0.0, 1.5, 0.1, note="how far its x is moved"),
        Whole("seed", "Seed", 0, 0, 99, note="other weights, draws and rows"),
    ),
    run=run,
    step_name="call",
)
