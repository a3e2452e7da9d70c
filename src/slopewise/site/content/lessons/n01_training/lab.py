"""The lab of training: one small project, walked through the whole workflow and three rounds of training."""

from __future__ import annotations

from slopewise.site.content.lessons.n01_training.chart import draw_chart
from slopewise.site.content.lessons.n01_training.pictures import (
    SHOWN,
    draw_curve,
    draw_map,
    draw_parts,
    draw_rows,
)
from slopewise.site.content.lessons.n01_training.project import (
    DRIFT,
    FRESH,
    LAST,
    LONG,
    LONGER,
    SHORT,
    Moment,
    Project,
    carry_out,
    collect,
)
from slopewise.site.drawing import brief, vector
from slopewise.site.labs import Figure, Frame, Lab, Number, Prediction, Table, Values, Whole

_CLOSE = 0.02  # accuracies that differ by less count as alike
_POINTS = f"{100 * _CLOSE:.0f} points"


def run(values: Values) -> list[Frame]:
    """Carry out the project, and show each stage."""
    data = collect(int(values["rows"]), float(values["noise"]), int(values["seed"]))
    return _Show(carry_out(data, float(values["lr"]), int(values["seed"]))).frames()


def percent(share: float) -> str:
    """Return a share in percent, without decimals."""
    return f"{100 * share:.0f}%"


class _Show:
    """Turns a project that was carried out into frames."""

    def __init__(self, project: Project) -> None:
        self.project, self.data = project, project.data
        self.chosen, self.rounds = project.chosen, project.rounds
        self.test, self.fresh, self.drifted = (
            project.chosen.moment.accuracy(part) for part in ("test", "new parts", "new device")
        )

    # ---- frames

    def frames(self) -> list[Frame]:
        return [
            self._collected(),
            self._split(),
            self._prepared(),
            *(self._training(0, self.project.first, k) for k in range(len(self.project.first))),
            self._validated(0),
            *(self._training(1, self.project.second, k) for k in range(len(self.project.second))),
            self._validated(1),
            *(self._training(2, self.project.third, k) for k in range(len(self.project.third))),
            self._validated(2),
            self._tested(),
            self._used(),
            self._a_year_later(),
        ]

    def _collected(self) -> Frame:
        rows = self.data.raw
        return Frame(
            "Ask and collect",
            f"A workshop asks: of which of two kinds is a part, by two measurements? {len(rows.y)} parts "
            f"were measured and a person said what they are: {int((rows.y == 0).sum())} of kind 0 (blue) and "
            f"{int(rows.y.sum())} of kind 1 (rust). No rule is known. It is to be learned.",
            figures=(self._chart("collect"), Figure("All rows, as measured", draw_rows(self.data))),
            table=self._parts_table(),
        )

    def _split(self) -> Frame:
        sizes = {name: len(rows.y) for name, rows in self.data.parts.items()}
        return Frame(
            "Split",
            f"Before anything is learned, rows are put aside: {sizes['test']} for the test, in an envelope; "
            f"{sizes['validation']} for validation. Only the {sizes['training']} training rows, filled, will "
            "change a parameter.",
            figures=(
                self._chart("split"),
                Figure("Filled: training rows; hollow: the others", draw_parts(self.data)),
            ),
            table=self._parts_table(),
        )

    def _prepared(self) -> Frame:
        untrained = self.project.first[0].accuracy("validation")
        poor, good = 0.75, 0.9
        answer = 2 if untrained > good else 1 if untrained >= poor else 0
        return Frame(
            "Prepare",
            "Scaling gives both measurements a mean of 0 and a spread of 1. The numbers for it, mean "
            f"{vector(self.data.mean.tolist())} and spread {vector(self.data.spread.tolist())}, come from "
            "the training rows alone, and are used for all.",
            figures=(
                self._chart("prepare"),
                Figure("Training rows, scaled", draw_map(self.data, None, "training")),
            ),
            table=self._parts_table(),
            prediction=Prediction(
                "The first model is a straight line whose parameters start at random. How many validation "
                "rows will it get right before it is trained?",
                (
                    f"Less than {percent(poor)}: it knows nothing yet",
                    f"{percent(poor)} to {percent(good)}",
                    f"More than {percent(good)}",
                ),
                answer,
                f"It gets {percent(untrained)}. Guessing would get about 50%; a random line may even be "
                "turned the wrong way round.",
            ),
        )

    def _training(self, number: int, moments: list[Moment], place: int) -> Frame:
        now = moments[place]
        name = ("Round 1", "Round 2", "Round 3")[number]
        return Frame(
            f"{name}: " + ("before the first update" if now.updates == 0 else f"update {now.updates}"),
            self._training_words(number, moments, place),
            figures=(
                self._chart("train"),
                Figure("Training rows, and what the model says where", draw_map(self.data, now, "training")),
                Figure(
                    "Loss by update; blue: training, rust: validation",
                    draw_curve(self.project.curve(number), LAST[number], now.updates),
                ),
            ),
            table=self._rounds_table(number, now),
            prediction=self._training_question(number, moments, place),
        )

    def _training_words(self, number: int, moments: list[Moment], place: int) -> str:
        now = moments[place]
        stands = f"The training loss is {brief(now.loss)}."
        if place == 0 and number == 2:
            return f"The training of the network simply goes on. {stands}"
        if now.updates == 0:
            count = self.rounds[number].parameters
            return (
                f"The model is {self.rounds[number].model}: {count} parameters, which start at random "
                f"numbers. {stands} The bluer side is where it says kind 0."
            )
        before = moments[place - 1]
        return (
            f"{now.updates - before.updates} more: forward, loss, backward, update. The training loss went "
            f"from {brief(before.loss)} to {brief(now.loss)}."
            if now.updates - before.updates > 1
            else f"One pass through forward, loss, backward, update: each of the "
            f"{self.rounds[number].parameters} parameters has moved a little. The training loss went from "
            f"{brief(before.loss)} to {brief(now.loss)}."
        )

    def _training_question(self, number: int, moments: list[Moment], place: int) -> Prediction | None:
        if number != 0 or moments[place].updates != 1:
            return None
        losses = [loss for loss, _ in self.project.curve(0)]
        early, late = losses[0] - losses[1], (losses[-11] - losses[-1]) / 10
        answer = 0 if late < 0.5 * early else 1 if late < 1.5 * early else 2
        return Prediction(
            f"The first update lowered the loss by {brief(early, 3)}. What will the last of the {SHORT} do?",
            ("Lower it by less than half as much", "Lower it by about as much", "Lower it by more"),
            answer,
            f"The last ten lower it by {brief(late, 2)} each. Where the slope gets gentler, steps get "
            "shorter.",
        )

    def _validated(self, number: int) -> Frame:
        made = self.rounds[number]
        moment = made.moment
        says = {
            0: "Good enough? Wrong rows lie on the wrong side of a line, and a line cannot bend.",
            1: "The network could bend, but so far it hardly does. Wrong model, or too little training?",
            2: f"By these scores, round {self.chosen.number} is chosen.",
        }[number]
        said = (
            f"{percent(moment.accuracy('validation'))} of the validation rows are right, "
            f"{percent(moment.accuracy('training'))} of the training rows."
        )
        return Frame(
            f"Validate round {made.number}",
            f"{made.model[0].upper()}{made.model[1:]}, after {moment.updates} updates: {said} {says}",
            figures=(
                self._chart("validate"),
                Figure(
                    "Validation rows; those that the model gets wrong are circled",
                    draw_map(self.data, moment, "validation", circle=True),
                ),
                Figure(
                    "Loss by update; blue: training, rust: validation",
                    draw_curve(self.project.curve(number), LAST[number], moment.updates),
                ),
            ),
            table=self._rounds_table(number, moment),
            prediction=self._validated_question(number),
        )

    def _validated_question(self, number: int) -> Prediction:
        if number == 0:
            line, patient = (
                self.rounds[0].moment.accuracy("validation"),
                self.project.patient.accuracy("validation"),
            )
            return self._more_question(
                f"Before changing the model: would {LONGER} updates instead of {SHORT} have helped the line?",
                line,
                patient,
                "We tried. A straight line stays straight, however long it is trained: something else must "
                "change.",
            )
        if number == 1:
            return self._more_question(
                f"The same network goes on to {LONG} updates. What will the validation score do?",
                self.rounds[1].moment.accuracy("validation"),
                self.rounds[2].moment.accuracy("validation"),
                "Here the model could do it, and needed more updates.",
            )
        return self._more_question(
            "Now the envelope is opened. Validation said "
            f"{percent(self.chosen.moment.accuracy('validation'))}. Compared with that, the test score is",
            self.chosen.moment.accuracy("validation"),
            self.test,
            "The validation rows made the choice, so their score tends to flatter; and with so few rows, "
            "luck moves both.",
        )

    def _more_question(self, ask: str, before: float, after: float, because: str) -> Prediction:
        gap = after - before
        answer = 1 if abs(gap) <= _CLOSE else 0 if gap > 0 else 2
        return Prediction(
            ask,
            (f"Higher, by more than {_POINTS}", f"Within {_POINTS}", f"Lower, by more than {_POINTS}"),
            answer,
            f"{percent(before)} and {percent(after)}. {because}",
        )

    def _tested(self) -> Frame:
        return Frame(
            "Test, once",
            f"The envelope is opened. The chosen model gets {percent(self.test)} of the test rows right. "
            "This number has chosen nothing, so it may be reported. Whoever now goes back and improves the "
            "model by it has no test rows left.",
            figures=(
                self._chart("test"),
                Figure(
                    "Test rows; those that the model gets wrong are circled",
                    draw_map(self.data, self.chosen.moment, "test", circle=True),
                ),
            ),
            table=self._scores_table(("test",)),
        )

    def _used(self) -> Frame:
        gap = self.drifted - self.fresh
        answer = 0 if gap < -_CLOSE else 1 if gap <= _CLOSE else 2
        return Frame(
            "Use",
            f"The model goes to work. On {FRESH} new parts it gets {percent(self.fresh)} right. Its "
            "parameters stand still now: using a model does not train it. Only the forward pass is left.",
            figures=(
                self._chart("use"),
                Figure(
                    f"{SHOWN} of the new parts; wrong ones are circled",
                    draw_map(self.data, self.chosen.moment, "new parts", circle=True),
                ),
            ),
            table=self._scores_table(("test", "new parts")),
            prediction=Prediction(
                f"A year later a measuring device is replaced. The new one reads {DRIFT} higher in the "
                "second measurement. Nobody touches the model. Its score on new parts",
                (f"falls by more than {_POINTS}", f"stays within {_POINTS}", f"rises by more than {_POINTS}"),
                answer,
                f"It goes from {percent(self.fresh)} to {percent(self.drifted)}.",
            ),
        )

    def _a_year_later(self) -> Frame:
        rounds = SHORT + LONG
        return Frame(
            "A year later",
            f"On parts from the new device the same model gets {percent(self.drifted)} right. The world "
            "moved, and the model did not. So the work begins again: collect, split, prepare, train. In all, "
            f"{rounds} updates were made in {len(self.rounds)} rounds: the small loop repeats the update, "
            "the middle one the training, the large one the whole project.",
            figures=(
                self._chart("collect"),
                Figure(
                    f"{SHOWN} parts from the new device, judged by the old model",
                    draw_map(self.data, self.chosen.moment, "new device", circle=True),
                ),
            ),
            table=self._scores_table(("test", "new parts", "new device")),
        )

    def _chart(self, stage: str) -> Figure:
        return Figure("Where we are in the workflow", draw_chart(stage, whole=False), True)

    # ---- tables

    def _parts_table(self) -> Table:
        rows = [
            (name, str(len(part.y)), str(int((part.y == 0).sum())), str(int(part.y.sum())))
            for name, part in self.data.parts.items()
        ]
        return Table("The parts", ("Part", "Rows", "Kind 0", "Kind 1"), rows)

    def _rounds_table(self, number: int, now: Moment) -> Table:
        made = [(k.number, k.model, k.moment) for k in self.rounds[:number]]
        made.append((number + 1, self.rounds[number].model, now))
        rows = [
            (
                str(k),
                model,
                str(moment.updates),
                brief(moment.loss),
                percent(moment.accuracy("training")),
                percent(moment.accuracy("validation")),
            )
            for k, model, moment in made
        ]
        columns = ("Round", "Model", "Updates", "Training loss", "Right in training", "Right in validation")
        return Table("Rounds of training", columns, rows, current=len(rows) - 1)

    def _scores_table(self, known: tuple[str, ...]) -> Table:
        moment = self.chosen.moment
        rows = [
            (
                part,
                percent(moment.accuracy(part)) if part in ("training", "validation", *known) else "not yet",
            )
            for part in moment.right
        ]
        return Table("Scores of the chosen model", ("Rows", "Right"), rows)


LAB = Lab(
    title="One project, from question to use",
    task="Step through a whole project, and watch how often something is repeated. Then collect fewer rows, "
    "or choose a learning rate that is too small, and see at which stage it shows.",
    settings=(
        Whole("rows", "Rows collected", 240, 60, 480, 20),
        Number("noise", "Noise", 0.2, 0.05, 0.4, 0.05),
        Number("lr", "Learning rate", 1.5, 0.05, 3.0, 0.05),
        Whole("seed", "Seed", 5, 0, 99, note="other rows, other first parameters"),
    ),
    run=run,
    step_name="stage",
)
