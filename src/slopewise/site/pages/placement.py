"""The placement test. All answers so far stand in the address, so it needs no account, script or cookie."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from slopewise.engine.errors import DataError
from slopewise.site.accounts.progress import Item, merge
from slopewise.site.content.course import Course
from slopewise.site.content.lesson import Question
from slopewise.site.forms import field
from slopewise.site.mastery.evidence import Record
from slopewise.site.mastery.guide import Guide
from slopewise.site.mastery.placement import LEAST, MOST, UNKNOWN, Answer
from slopewise.site.pages.answers import go_to, limit
from slopewise.site.policies import ANYONE, SIGNED_IN, route
from slopewise.site.templating import render
from slopewise.site.visitors import visitor_of

router = APIRouter()


@route(router, "GET", "/placement", ANYONE)
async def placement(request: Request) -> Response:
    """Ask the next question, or say after the last where to begin and why."""
    guide: Guide = request.app.state.guide
    answers = _read(guide, request.query_params.getlist("a"))
    asked = await run_in_threadpool(guide.placement.next_question, answers)
    if asked is not None and "end" not in request.query_params:
        question = await run_in_threadpool(_question, request, asked.item)
        lesson = request.app.state.course.entry(asked.item.partition("/")[0])
        return render(
            request,
            "placement.html",
            question=question,
            item=asked.item,
            lesson=lesson,
            texts=_texts(answers),
            number=len(answers) + 1,
            most=MOST,
            may_end=len(answers) >= LEAST,
            address=_address(answers[:-1]) if answers else "",
        )
    return await run_in_threadpool(_result, request, guide, answers)


@route(router, "POST", "/placement", SIGNED_IN)
def keep_placement(request: Request) -> Response:
    """Keep the answers in the account, as answers to the lessons' questions."""
    guide: Guide = request.app.state.guide
    visitor, now = visitor_of(request), request.app.state.clock()
    limit(request, "log of an account", str(visitor.account_id))
    answers = _read(guide, field(request, "answers", 2000).split())
    items = [Item("answer", answer.item, answer.choice, now) for answer in answers]
    with request.app.state.database.writing(of=visitor.learner) as session:
        merge(session, visitor.learner, items, now)
    return go_to("/progress")


def _result(request: Request, guide: Guide, answers: Sequence[Answer]) -> Response:
    records = [Record("answer", answer.item, answer.choice) for answer in answers]
    evidence = guide.placement.evidence(answers)
    rows = []
    for answer in answers:
        question = guide.placement.questions[answer.item]
        rows.append(
            {
                "skill": guide.graph.nodes[question.skill],
                "is_right": answer.choice == question.answer,
                "is_unknown": answer.choice == UNKNOWN,
            }
        )
    return render(
        request,
        "placement_result.html",
        rows=rows,
        right=sum(row["is_right"] is True for row in rows),
        next=guide.next_step(records, evidence),
        lessons=guide.lessons(records, evidence),
        texts=_texts(answers),
    )


def _question(request: Request, item: str) -> Question:
    """Return a question with its numbers; its lesson is read at its first use."""
    slug, _, name = item.partition("/")
    course: Course = request.app.state.course
    lesson = course.lesson(slug)
    assert lesson is not None, "its outline named the question"
    return next(question for question in lesson.questions if question.id == name)


def _read(guide: Guide, texts: Sequence[str]) -> list[Answer]:
    try:
        return guide.placement.read(texts[: 4 * MOST])
    except DataError as error:
        raise HTTPException(400, f"{error}. Begin the test again at /placement.") from error


def _texts(answers: Sequence[Answer]) -> list[str]:
    return [f"{answer.item}:{answer.choice}" for answer in answers]


def _address(answers: Sequence[Answer]) -> str:
    query = urlencode([("a", text) for text in _texts(answers)])
    return f"/placement?{query}" if query else "/placement"
