"""The lab of error analysis: from one number to its errors, their causes, a fix, and its worth."""

from __future__ import annotations

from urllib.parse import urlencode

import numpy as np

from slopewise.evaluate.error_analysis import by_class, error_sizes
from slopewise.metrics import wilson_interval
from slopewise.site.content.lessons.n15_error_analysis.analysis import CELLS, Analysis
from slopewise.site.content.lessons.n15_error_analysis.counting import Counts
from slopewise.site.content.lessons.n15_error_analysis.drawings import draw_bars, draw_matrix, draw_pictures
from slopewise.site.content.lessons.n15_error_analysis.pictures import (
    FIXES,
    SHAPES,
    TAGS,
    Numbers,
    Pictures,
    accuracy,
)
from slopewise.site.content.lessons.n15_error_analysis.tags import (
    TAGS_SETTING,
    TOP,
    counted,
    fix_of,
    write_tags,
)
from slopewise.site.drawing import brief, draw_strips
from slopewise.site.labs import Choice, Figure, Frame, Lab, Offer, Prediction, Table, Values, Whole

_OPENING = 3  # the step at which the first is looked at


def run(values: Values) -> list[Frame]:
    """Look, tag, fix, compare."""
    return _Stages(values).frames()


def percent(share: float) -> str:
    """Return a share in percent, with one decimal place."""
    return f"{100 * share:.1f}%"


class _Stages(Analysis):
    """An analysis, told stage by stage."""

    def frames(self) -> list[Frame]:
        examples = [self._example(k) for k in range(len(self.opened))]
        return [
            self._learned(),
            self._one_number(),
            self._matrix(),
            *examples,
            self._counted(),
            self._tagged(_OPENING + len(examples) + 1),
            self._fixed(),
            self._compared(),
            self._fresh(),
        ]

    # ---- before looking

    def _learned(self) -> Frame:
        score = accuracy(self.before)
        on_learned = accuracy(self.network.judge(self.basis))
        answer = 0 if score > 0.95 else 1 if score > 0.85 else 2 if score > 0.7 else 3
        captions = [(SHAPES[label], "") for label in self.basis.label[:6]]
        return Frame(
            "What the network learned from",
            f"{len(self.basis)} pictures of rings, squares and crosses. Here are six. On the pictures "
            f"that it learned, the network scores {percent(on_learned)}.",
            (Figure("Six pictures, each with its label", _row(self.basis, np.arange(6), captions), True),),
            self._shapes_table(self.basis),
            prediction=Prediction(
                f"What will it score on {len(self.seen)} validation pictures, taken where it will be used?",
                ("More than 95%", "85% to 95%", "70% to 85%", "Less than 70%"),
                answer,
                f"It scores {percent(score)}. Where it is used, pictures are not as good as those it "
                "learned from.",
            ),
        )

    def _one_number(self) -> Frame:
        hits = int((self.before.predicted == self.before.truth).sum())
        low, high = wilson_interval(float(hits), len(self.seen))
        shares = [(SHAPES[row.number], row.recall) for row in by_class(self.before)]
        return Frame(
            "One number",
            f"It is right on {hits} of {len(self.seen)} validation pictures: "
            f"{percent(accuracy(self.before))}, with a 95% interval from {percent(low)} to "
            f"{percent(high)}. The number says how bad it is. It does not say what to do.",
            (
                Figure(
                    "Recall by shape: the share that was recognised",
                    draw_strips(shares, title="Recall"),
                    True,
                ),
            ),
            self._matrix_table(),
        )

    def _matrix(self) -> Frame:
        where = (
            "We open all errors."
            if self.cell is None
            else f"We open one cell: {self.cell_name}, {self.matrix[self.cell]} pictures."
        )
        return Frame(
            "Where it errs",
            f"{self.total} pictures lie off the diagonal. {where} Press another cell to open that one. A "
            "cell tells which classes are mixed up. It does not yet tell why.",
            (Figure("Rows: what the label says. Columns: what the network said", self._draw_matrix()),),
            self._matrix_table(),
        )

    # ---- looking

    def _example(self, k: int) -> Frame:
        row = int(self.opened[k])
        label, said = int(self.before.truth[row]), int(self.before.predicted[row])
        assert self.before.probabilities is not None
        left = self.before.probabilities[row, label]
        captions = [
            (
                f"{SHAPES[self.before.truth[r]]} → {SHAPES[self.before.predicted[r]]}",
                TAGS[str(self.seen.tag[r])] if place < k else "look" if place == k else "not yet",
            )
            for place, r in enumerate(self.opened)
        ]
        before = self._said_of(int(self.opened[k - 1])) if k else ""
        order = "drawn by chance" if self.by_chance else "worst first"
        return Frame(
            f"Error {k + 1} of {len(self.opened)}",
            f"{before}Opened: {self.cell_name}, {order}. The label says {SHAPES[label]}; the network said "
            f"{SHAPES[said]}, and left {percent(float(left))} for the label. Look at the framed picture "
            "below, and tag it.",
            (
                Figure(
                    "Errors: label → what the network said, and the cause",
                    _row(self.seen, self.opened, captions, k),
                ),
                Figure("The cell they come from; press another to open it", self._draw_matrix()),
            ),
            self._examples_table(k),
            offer=Offer(
                TAGS_SETTING.name,
                "Which tag do you give the framed picture?",
                tuple((write_tags({**self.tags, row: tag}, self.seed), name) for tag, name in TAGS.items()),
                _OPENING + k + 1,
                "Tag it",
            ),
        )

    def _said_of(self, row: int) -> str:
        """Return what the learner and the maker say of an error."""
        cause = TAGS[str(self.seen.tag[row])]
        made = f"“{cause}”, and that it shows a {SHAPES[self.seen.shape[row]]}. "
        if row not in self.tags:
            return f"The one who made the last picture says {made}"
        return f"You tagged the last one “{TAGS[self.tags[row]]}”. The one who made it says {made}"

    def _counted(self) -> Frame:
        """Show the learner's own tags, counted, beside the causes of the same errors."""
        counts = Counts(self.tags, {row: str(self.seen.tag[row]) for row in self.tags})
        cells = Figure("Where errors are; press a cell to open it and tag more", self._draw_matrix())
        return Frame(
            "Your tags, counted",
            self._said_of(int(self.opened[-1])) + counts.words(self.total),
            (*counts.figures(), cells),
            counts.table(),
            prediction=self._most(),
        )

    def _most(self) -> Prediction | None:
        """Ask for the largest cause of all errors, if one is the largest."""
        most = max(self.errors.values())
        largest = [name for name, count in self.errors.items() if count == most]
        if len(largest) > 1:
            return None
        return Prediction(
            f"Which cause stands for most of all {self.total} errors?",
            tuple(TAGS.values()),
            list(self.errors).index(largest[0]),
            f"“{largest[0]}” stands for {most} of {self.total}.",
        )

    def _tagged(self, step: int) -> Frame:
        largest = max(self.errors, key=self.errors.__getitem__)
        worst = np.argsort(-error_sizes(self.before), kind="stable")[:10]
        wrong_labels = int((self.seen.tag[worst] == "label").sum())
        return Frame(
            "All errors, tagged",
            f"All {self.total} errors by cause. “{largest}” stands for {self.errors[largest]}: without "
            "these errors the score would be "
            f"{percent(accuracy(self.before) + self.errors[largest] / len(self.seen))}, and that is the "
            f"*most* that mending it could bring. Of the ten worst errors {wrong_labels} have a wrong "
            f"label; of all errors {self.errors[TAGS['label']]} of {self.total}. The worst are no fair "
            "sample.",
            (Figure("Errors by cause", draw_bars(self.errors, title="Errors by cause"), True),),
            self._tags_table(),
            offer=Offer(
                "fix",
                "Mend one cause: what is added to what the network learns from?",
                self._fixes(),
                step + 1,
                "Take this fix",
            ),
        )

    def _fixes(self) -> tuple[tuple[str, str], ...]:
        """Return the fixes to choose from; what the top tag asks for is chosen until another one is."""
        asked, why = fix_of(self.top), "your top tag" if self.tags else "the largest cause"
        chosen = TOP if self.values["fix"] == TOP else asked
        return tuple(
            (chosen, f"{name}: {why} asks for it") if fix == asked else (fix, name)
            for fix, name in FIXES.items()
        )

    def _fixed(self) -> Frame:
        """Show what the fix changes, before its worth is known."""
        more = len(self.mended) - len(self.basis)
        changed = np.flatnonzero(self.mended.label[: len(self.basis)] != self.basis.label)
        rows = np.arange(len(self.basis), len(self.basis) + 6) if more else changed[:6]
        words = (
            f"{more} pictures are added to the {len(self.basis)} that the network learned from."
            if more
            else f"{len(changed)} of the {len(self.basis)} labels were wrong, and are corrected."
        )
        captions = [
            (SHAPES[self.mended.label[row]], "" if more else f"was {SHAPES[self.basis.label[row]]}")
            for row in rows
        ]
        return Frame(
            f"The fix: {FIXES[self.fix]}",
            f"{words} Here are six. All else stays: the same first weights, as many updates.",
            (Figure("Six pictures of the fix", _row(self.mended, rows, captions), True),),
            self._shapes_table(self.mended),
            prediction=self._worth(),
        )

    def _worth(self) -> Prediction:
        gained = self.total - sum(self.errors_of(self.after).values())
        answer = 0 if gained <= 0 else 1 if gained <= 10 else 2 if gained <= 20 else 3
        return Prediction(
            f"The fix: {FIXES[self.fix]} to learn from. Train again. How many fewer errors will there be "
            f"on the same {len(self.seen)} pictures?",
            ("None, or there will be more", "1 to 10", "11 to 20", "More than 20"),
            answer,
            f"From {self.total} to {sum(self.errors_of(self.after).values())}.",
        )

    # ---- after the fix

    def _compared(self) -> Frame:
        after = self.errors_of(self.after)
        mended, broken = self.flips()
        score = brief((mended - broken) / max(1, mended + broken) ** 0.5, 2)
        return Frame(
            "Fix, train again, compare",
            f"After the fix ({FIXES[self.fix]} to learn from) the score is "
            f"{percent(accuracy(self.after))}; before, it was {percent(accuracy(self.before))}. {mended} "
            f"pictures were mended and {broken} **broken**: right before, wrong now. Only these count: "
            f"the difference is {score} times its own standard error. As a control, equally many "
            f"pictures of the usual kind: {percent(accuracy(self.control.judge(self.seen)))}.",
            (
                Figure(
                    "Errors by cause: before (grey) and after (blue)",
                    draw_bars(self.errors, after, title="Errors by cause, before and after"),
                    True,
                ),
            ),
            self._tags_table(after),
            prediction=self._lasts(),
        )

    def _lasts(self) -> Prediction:
        seen = accuracy(self.after) - accuracy(self.before)
        new = accuracy(self.fixed.judge(self.new)) - accuracy(self.network.judge(self.new))
        answer = 1 if abs(new - seen) < 0.01 else 0 if new < seen else 2
        return Prediction(
            f"You looked at these {len(self.seen)} pictures to choose the fix. How large will the gain "
            f"be on {len(self.new)} fresh ones, from the same place?",
            ("Smaller by a point or more", "The same, within one point", "Larger by a point or more"),
            answer,
            f"On the pictures that you looked at the score changed by {100 * seen:+.1f} points, on fresh "
            "ones by "
            f"{100 * new:+.1f}.".replace("-", "−"),
        )

    def _fresh(self) -> Frame:
        shares = [
            ("before", accuracy(self.network.judge(self.new))),
            ("control", accuracy(self.control.judge(self.new))),
            ("after", accuracy(self.fixed.judge(self.new))),
        ]
        sound = float((self.new.tag != "label").mean())
        told = ", ".join(f"{name} {percent(share)}" for name, share in shares)
        rows = [(name, percent(share)) for name, share in shares]
        return Frame(
            "What it is worth",
            f"On {len(self.new)} fresh pictures: {told}. {percent(1 - sound)} of these pictures have a "
            f"wrong label, so even a perfect eye would score {percent(sound)}. Then you begin "
            "again: new errors, new tags.",
            (
                Figure(
                    "Accuracy on fresh pictures",
                    draw_strips(
                        shares,
                        [(f"all that sound labels allow {percent(sound)}", sound, "backward")],
                        title="Accuracy on fresh pictures",
                        current="after",
                    ),
                    True,
                ),
            ),
            Table("Accuracy on fresh pictures", ("Network", "Accuracy"), rows, current=2),
        )

    # ---- tables and pictures

    def _draw_matrix(self) -> str:
        links = {}
        for name, cell in CELLS.items():
            if self.matrix[cell]:
                query = {**LAB.write({**self.values, "cell": name}), "step": str(_OPENING)}
                link = {"href": f"?{urlencode(query)}#lab", "data-sets": f"cell={name}"}
                links[cell] = {**link, "data-step": str(_OPENING)}
        title = "Confusion matrix of the validation pictures"
        return draw_matrix(self.matrix, self.cell, links, title=title)

    def _matrix_table(self) -> Table:
        rows = [(SHAPES[k], *(str(count) for count in self.matrix[k])) for k in range(len(SHAPES))]
        return Table("Labels (rows) and what the network said (columns)", ("Label", *SHAPES), rows)

    def _shapes_table(self, pictures: Pictures) -> Table:
        rows = [(SHAPES[k], str(int((pictures.label == k).sum()))) for k in range(len(SHAPES))]
        return Table("Pictures to learn from", ("Label", "Pictures"), rows)

    def _examples_table(self, k: int) -> Table:
        sizes = error_sizes(self.before)
        rows = [
            (
                str(place + 1),
                SHAPES[self.before.truth[row]],
                SHAPES[self.before.predicted[row]],
                percent(1 - float(sizes[row])),
                TAGS[self.tags[int(row)]] if int(row) in self.tags else "none",
                TAGS[str(self.seen.tag[row])] if place < k else "not yet",
            )
            for place, row in enumerate(self.opened)
        ]
        columns = ("Error", "Label", "Network said", "It gave the label", "Your tag", "Cause")
        return Table("The errors opened", columns, rows, current=k)

    def _tags_table(self, after: dict[str, int] | None = None) -> Table:
        rows = []
        for tag, name in TAGS.items():
            count, errors = int((self.seen.tag == tag).sum()), self.errors[name]
            ceiling = percent(accuracy(self.before) + errors / len(self.seen))
            mine = (str(counted(self.tags)[tag]),) if self.tags else ()
            rows.append(
                (name, *mine, str(count), str(errors), percent(errors / count), ceiling)
                + (() if after is None else (str(after[name]),))
            )
        mine = ("Your tags",) if self.tags else ()
        columns = ("Cause", *mine, "Pictures", "Errors", "Error rate", "Score at most")
        return Table("Errors by tag", columns + (() if after is None else ("Errors after",)), rows)


def _row(
    pictures: Pictures, rows: Numbers, captions: list[tuple[str, str]], current: int | None = None
) -> str:
    return draw_pictures(pictures.pixels[rows], captions, title="Pictures", current=current)


LAB = Lab(
    title="Open the errors",
    task="Press a cell of the confusion matrix, and tag what you see. Your tags are counted, and the top one "
    "says what to fix. Then tag more, try another fix, or open the errors in the order of chance.",
    settings=(
        Choice(
            "cell",
            "Open",
            "largest",
            (
                ("largest", "the largest cell"),
                ("all", "all errors"),
                *((key, f"{SHAPES[a]} taken for {SHAPES[b]}") for key, (a, b) in CELLS.items()),
            ),
        ),
        Choice("order", "Order", "worst", (("worst", "worst first"), ("chance", "drawn by chance"))),
        TAGS_SETTING,
        Choice("fix", "Fix", TOP, ((TOP, "what the top tag asks for"), *FIXES.items()), offered=True),
        Whole("seed", "Seed", 0, 0, 99, note="other pictures, another network"),
    ),
    run=run,
    step_name="stage",
)
