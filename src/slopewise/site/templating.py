"""The page templates: Jinja2, escaping everything; what they may call is listed here."""

from __future__ import annotations

from pathlib import Path

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse

from slopewise.site.content import markup
from slopewise.site.forms import finish_page, form_token
from slopewise.site.static_files import StaticAddresses
from slopewise.site.visitors import visitor_of

_TEMPLATES = Path(__file__).parent / "templates"


def make_templates(static: Path) -> jinja2.Environment:
    """Return the environment of all pages."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["static"] = StaticAddresses(static)
    environment.filters["inline"] = markup.inline
    environment.filters["block"] = markup.block
    environment.filters["math"] = lambda latex: markup.math(latex, True)
    environment.filters["code"] = markup.code
    environment.filters["plain"] = markup.plain
    environment.globals["code_lines"] = markup.code_lines
    return environment


def render(request: Request, template: str, *, status: int = 200, **context: object) -> HTMLResponse:
    """Return a page."""
    state = request.app.state
    page = state.templates.get_template(template)
    text = page.render(
        course=state.course,
        owner_pages=state.owner_pages,
        path=request.url.path,
        visitor=visitor_of(request),
        form_token=lambda: form_token(request),
        **context,
    )
    response = HTMLResponse(text, status_code=status)
    finish_page(request, response)
    return response


def fragment(request: Request, template: str, **context: object) -> str:
    """Return a part of a page as HTML."""
    html: str = request.app.state.templates.get_template(template).render(**context)
    return html
