"""What comes next for a learner, and why, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from slopewise.site.mastery.graph import SkillGraph, SkillNode
from slopewise.site.mastery.model import READY, Evidence, mastery, seen

_MISSED = {
    "question": "missed a question on",
    "prediction": "predicted otherwise in a lab on",
    "prompt": "left out an idea on",
    "card": "are forgetting cards on",
}


@dataclass(frozen=True)
class NextStep:
    """A suggestion: a skill to work on, where, and why. `kind` is begin, missed, ground, forgotten or new."""

    kind: str
    skill: str
    name: str
    title: str
    address: str
    why: str


def next_step(
    graph: SkillGraph, evidence: Sequence[Evidence], done: frozenset[str] = frozenset()
) -> NextStep | None:
    """Return what to work on next, or None if every skill is there.

    Only skills come into question that are not ready and whose ground is: all that they rest on is ready.
    First come those that were missed, or that something missed rests on; then those of lessons that are
    neither `done` nor half ready; then the rest. Among equals the order of the course decides.
    """
    known = mastery(graph, evidence)
    open_skills = [
        node
        for node in graph.nodes.values()
        if known[node.id] < READY and all(known[name] >= READY for name in node.rests_on)
    ]
    if not open_skills:
        return None
    against = _against(graph, evidence)
    order = {name: number for number, name in enumerate(graph.nodes)}

    def place(node: SkillNode) -> tuple[bool, bool, int]:
        missed = node.id in against or any(name in against for name in graph.above(node.id))
        skills = [node.id, *graph.mates(node.id)]
        passed = node.lesson in done or 2 * sum(known[name] >= READY for name in skills) >= len(skills)
        return (not missed, passed, order[node.id])

    node = min(open_skills, key=place)
    return _step(graph, node, against, evidence)


def _against(graph: SkillGraph, evidence: Sequence[Evidence]) -> Mapping[str, Evidence]:
    """Return for each skill that more speaks against than for, the heaviest piece that does."""
    totals = seen(graph, evidence)
    found: dict[str, Evidence] = {}
    for piece in evidence:
        if totals.get(piece.skill, 0.0) < 0 and piece.speaks_against:
            heaviest = found.get(piece.skill)
            if heaviest is None or piece.weight < heaviest.weight:
                found[piece.skill] = piece
    return found


def _step(
    graph: SkillGraph, node: SkillNode, against: Mapping[str, Evidence], evidence: Sequence[Evidence]
) -> NextStep:
    address, title = f"/lessons/{node.lesson}", node.lesson_title
    if node.id in against:
        piece = against[node.id]
        why = f"You {_MISSED[piece.kind]} {_quoted(node.name)}{_what_rests(graph, node)}."
        if piece.kind == "card":
            address, title = f"/review?deck={node.lesson}", f"Repeat the cards of {node.lesson_title.lower()}"
            return NextStep("forgotten", node.id, node.name, title, address, why)
        return NextStep("missed", node.id, node.name, title, address, why)
    above = graph.above(node.id)
    missed = min((name for name in above if name in against), key=lambda name: above[name], default=None)
    if missed is not None:
        top = graph.nodes[missed]
        why = (
            f"You {_MISSED[against[missed].kind]} {_quoted(top.name)}, which rests on {_quoted(node.name)}; "
            "little shows yet that you can do that."
        )
        return NextStep("ground", node.id, node.name, title, address, why)
    if not evidence:
        why = "Nothing is known of you yet, so this is the beginning. A short test may find a better place."
        return NextStep("begin", node.id, node.name, title, address, why)
    if node.rests_on:
        ground = " and ".join(_quoted(graph.nodes[name].name) for name in node.rests_on[:2])
        why = f"You have shown that you are good at {ground}, and {_quoted(node.name)} rests on that."
    else:
        why = f"Little shows yet how you are at {_quoted(node.name)}{_what_rests(graph, node)}."
    return NextStep("new", node.id, node.name, title, address, why)


def _what_rests(graph: SkillGraph, node: SkillNode) -> str:
    """Return a clause on what rests on a skill: another lesson if there is one, else another skill."""
    above = sorted(graph.above(node.id).items(), key=lambda item: item[1])
    for name, _ in above:
        if graph.nodes[name].lesson != node.lesson:
            return f", which the lesson on {graph.nodes[name].lesson_title.lower()} rests on"
    if above:
        return f", which {_quoted(graph.nodes[above[0][0]].name)} rests on"
    return ""


def _quoted(name: str) -> str:
    return f"“{name}”"
