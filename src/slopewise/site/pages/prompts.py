"""Two-sentence prompts: a learner's words beside a model answer, and which ideas they seem to hold.

A text is looked at and forgotten. In an account the draft and the learner's own verdict are kept.
"""

from __future__ import annotations

from fastapi import APIRouter, HTTPException
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from slopewise.site.accounts.progress import Item, merge
from slopewise.site.content.hints import LONGEST_TEXT, ideas_in, read_phrasing
from slopewise.site.content.lesson import Lesson, Prompt
from slopewise.site.forms import field
from slopewise.site.pages.answers import go_to, limit
from slopewise.site.policies import ANYONE, SIGNED_IN, route
from slopewise.site.templating import render
from slopewise.site.visitors import visitor_of

router = APIRouter()


@route(router, "GET", "/lessons/{slug}/prompts/{name}", ANYONE)
async def prompt_page(request: Request, slug: str, name: str) -> Response:
    """Ask for two sentences."""
    lesson, prompt = await run_in_threadpool(_find, request, slug, name)
    return render(request, "prompt.html", lesson=lesson, prompt=prompt, text="", found=None)


@route(router, "POST", "/lessons/{slug}/prompts/{name}", ANYONE)
async def compare(request: Request, slug: str, name: str) -> Response:
    """Show the model answer, and hint at the ideas that a text seems to hold; as JSON for the script."""
    lesson, prompt = await run_in_threadpool(_find, request, slug, name)
    text = field(request, "text", LONGEST_TEXT)
    found = await run_in_threadpool(hinted, prompt, text)
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse({"ideas": found}, headers={"Cache-Control": "no-store"})
    return render(request, "prompt.html", lesson=lesson, prompt=prompt, text=text, found=found)


@route(router, "POST", "/lessons/{slug}/prompts/{name}/ideas", SIGNED_IN)
async def keep_verdict(request: Request, slug: str, name: str) -> Response:
    """Keep which ideas the learner says were there, and the text."""
    lesson, prompt = await run_in_threadpool(_find, request, slug, name)
    await run_in_threadpool(_keep, request, lesson, prompt)
    return go_to(f"/lessons/{lesson.slug}#prompt-{prompt.id}")


def hinted(prompt: Prompt, text: str) -> list[bool]:
    """Return for each idea of a prompt whether an accepted phrasing of it is in a text."""
    return ideas_in(text, [[read_phrasing(row) for row in rows] for rows in prompt.accept])


def _find(request: Request, slug: str, name: str) -> tuple[Lesson, Prompt]:
    lesson = request.app.state.course.lesson(slug)
    prompt = next((prompt for prompt in lesson.prompts if prompt.id == name), None) if lesson else None
    if prompt is None:
        raise HTTPException(404)
    return lesson, prompt


def _keep(request: Request, lesson: Lesson, prompt: Prompt) -> None:
    visitor, now = visitor_of(request), request.app.state.clock()
    limit(request, "log of an account", str(visitor.account_id))
    item = f"{lesson.slug}/{prompt.id}"
    ideas = [field(request, f"idea-{place}") == "1" for place in range(len(prompt.ideas))]
    items = [
        Item("prompt", item, {"ideas": ideas}, now),
        Item("draft", item, field(request, "text", LONGEST_TEXT), now),
    ]
    with request.app.state.database.writing(of=visitor.learner) as session:
        merge(session, visitor.learner, items, now)
