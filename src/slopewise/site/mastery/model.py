"""How sure the site is that a learner has a skill: weight of evidence, passed on along what rests on what.

Sources: I. J. Good, *Weight of evidence: a brief survey*, 1985 (log-odds add up); A. Corbett, J. Anderson,
*Knowledge tracing*, 1994 (slip and guess); J.-P. Doignon, J.-C. Falmagne, *Spaces for the assessment of
knowledge*, 1985 (a right answer speaks for what it rests on, a wrong one against what rests on it).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from slopewise.site.mastery.graph import SkillGraph

PRIOR = 0.35  # before any answer
SLIP = 0.1  # who has the skill still errs this often
READY = 0.5  # from here on, what rests on a skill may come
SOUND = 0.8
# What is left of the weight of a right answer, and of a wrong one,
FADE = (
    0.75,
    0.5,
)  # for each step along the graph: down to what the skill rests on, or up to what rests on it
MATES = (0.65, 0.25)  # for the other skills of its lesson, as a lesson is read as a whole
LIMIT = 4.0  # no skill is ever certain: |log-odds| stops here


@dataclass(frozen=True)
class Evidence:
    """Something a learner did that speaks for (positive weight) or against a skill.

    Attributes
    ----------
    skill : str
        As `lesson/skill`.
    weight : float
        Log of how much likelier it is from somebody who has the skill than from somebody who has not.
    kind : str
        question, prediction, prompt or card.
    item : str
        Which one.
    """

    skill: str
    weight: float
    kind: str
    item: str

    @property
    def speaks_against(self) -> bool:
        """Whether it lowers the mastery of its skill."""
        return self.weight < 0


def weigh_answer(is_right: bool, choices: int) -> float:
    """Return the weight of an answer to a question with so many choices, of which one is right.

    Who lacks the skill guesses, and is right once in `choices`; who has it slips with `SLIP`.

    Examples
    --------
    >>> round(weigh_answer(True, 4), 2), round(weigh_answer(False, 4), 2)
    (1.28, -2.01)
    """
    guess = 1 / max(choices, 2)
    return math.log((1 - SLIP) / guess) if is_right else math.log(SLIP / (1 - guess))


def weigh_recall(probability: float, guess: float = SLIP) -> float:
    """Return the weight to expect of a recall that succeeds with a probability.

    Nobody sees the choices on a card, so the guess is small, and the weight runs evenly from against to for.

    Examples
    --------
    >>> [round(weigh_recall(p), 2) for p in (0.0, 0.5, 0.9)]
    [-2.2, 0.0, 1.76]
    """
    right, wrong = math.log((1 - SLIP) / guess), math.log(SLIP / (1 - guess))
    return probability * right + (1 - probability) * wrong


def mastery(graph: SkillGraph, evidence: Iterable[Evidence]) -> dict[str, float]:
    """Return for each skill the probability that the learner has it.

    Evidence adds up on the scale of log-odds. What speaks for a skill speaks, weaker with each step, for all
    that it rests on; what speaks against it, against all that rests on it. The other skills of the lesson
    get a share too. So a right answer never lowers any mastery, and a wrong one never
    raises any.
    """
    odds = {name: math.log(PRIOR / (1 - PRIOR)) for name in graph.nodes}
    for piece in evidence:
        if piece.skill in odds:
            for name, share in shares(graph, piece.skill, piece.weight).items():
                odds[name] += share
    return {name: _probability(value) for name, value in odds.items()}


def shares(graph: SkillGraph, skill: str, weight: float) -> dict[str, float]:
    """Return how much of a weight each skill gets."""
    wrong = int(weight < 0)
    others = graph.above(skill) if wrong else graph.below(skill)
    found = dict.fromkeys(graph.mates(skill), weight * MATES[wrong])
    for name, steps in others.items():
        share = weight * FADE[wrong] ** steps
        found[name] = max(share, found.get(name, share), key=abs)
    return {skill: weight, **found}


def shifted(probability: float, weight: float) -> float:
    """Return a probability after a weight is added to its log-odds."""
    return _probability(math.log(probability / (1 - probability)) + weight)


def level(probability: float, has_evidence: bool) -> str:
    """Return a mastery in a word: new, shaky, growing or sound."""
    if not has_evidence:
        return "new"
    return "sound" if probability >= SOUND else "growing" if probability >= READY else "shaky"


def seen(graph: SkillGraph, evidence: Iterable[Evidence]) -> Mapping[str, float]:
    """Return the skills that something was seen of directly, with the sum of its weight."""
    found: dict[str, float] = {}
    for piece in evidence:
        if piece.skill in graph.nodes:
            found[piece.skill] = found.get(piece.skill, 0.0) + piece.weight
    return found


def _probability(odds: float) -> float:
    return 1 / (1 + math.exp(-max(-LIMIT, min(LIMIT, odds))))
