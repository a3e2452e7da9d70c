"""Makes the application: content is read, routes are added, what they share hangs on `app.state`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from anyio import CapacityLimiter
from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from slopewise.site.accounts.export import Exports
from slopewise.site.accounts.limits import tries_of
from slopewise.site.accounts.mail import Mailer, mailer_from_environment
from slopewise.site.accounts.passwords import Passwords
from slopewise.site.anki.importing import Importer
from slopewise.site.configuration import Configuration
from slopewise.site.content import load_course
from slopewise.site.content.library import load_pro_decks
from slopewise.site.content.read_ahead import ReadAhead
from slopewise.site.content.run_ahead import run_ahead
from slopewise.site.datasets.shelf import Shelf
from slopewise.site.datasets.workshop import Workshop
from slopewise.site.head_requests import AnswerHead
from slopewise.site.labs.job_rows import job_store_of
from slopewise.site.labs.jobs import Jobs
from slopewise.site.labs.pool import Pool
from slopewise.site.labs.runs import FrameStore
from slopewise.site.loaded_content import Libraries
from slopewise.site.mastery.guide import Guide
from slopewise.site.owner_pages import read_pages
from slopewise.site.pages import (
    account,
    anki,
    cards,
    classes,
    data_runs,
    datasets,
    errors,
    health,
    labs,
    lessons,
    logging_in,
    membership,
    own_cards,
    own_data,
    owner,
    owners_words,
    paying,
    placement,
    playground,
    playground_jobs,
    playground_predictions,
    predictions,
    progress,
    progress_tables,
    prompts,
    reference,
    review,
    signing_up,
    tags,
    teaching,
    terminal,
    tokens,
)
from slopewise.site.payments.desk import Desk
from slopewise.site.payments.gateway import Gateway
from slopewise.site.payments.stripe_gateway import stripe_from_environment
from slopewise.site.policies import undeclared_routes
from slopewise.site.records import Metrics, Records
from slopewise.site.security import SecurityHeaders
from slopewise.site.static_files import VersionedFiles
from slopewise.site.storage import open_database
from slopewise.site.storage.database import DATA
from slopewise.site.storage.erasure import erase_again
from slopewise.site.templating import make_templates

STATIC = Path(__file__).parent / "static"
# Each takes memory and a core; who waits for one holds up no other page.
HASHES_AT_ONCE = max(1, (os.cpu_count() or 1) // 2)


def create_app(
    configuration: Configuration,
    *,
    mailer: Mailer | None = None,
    payments: Gateway | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    reads_ahead: bool = False,
) -> FastAPI:
    """Return the application.

    Parameters
    ----------
    configuration : Configuration
    mailer : Mailer
        Sends mail; by default what the environment says.
    payments : Gateway
        The payment service; by default what the environment says, and none if that says nothing.
    clock : callable
        Returns the moment, with a time zone.
    reads_ahead : bool
        Whether all lessons are read, and their labs run at the default settings, in the background once the
        server is up (`ReadAhead`, `run_ahead`).

    Raises
    ------
    DataError
        If content or database cannot be used.
    RuntimeError
        If a route declares no policy.
    """
    application = FastAPI(
        title="Slopewise", docs_url=None, redoc_url=None, openapi_url=None, lifespan=_lifespan
    )
    application.state.configuration = configuration
    application.state.clock = clock
    application.state.mailer = mailer or mailer_from_environment(not configuration.public_url)
    application.state.payments = payments or stripe_from_environment()
    application.state.passwords = Passwords(configuration.password_cost)
    application.state.first_owner_digest = None  # `server.serve` sets it
    application.state.owner_pages = read_pages(configuration.pages)
    application.state.metrics = Metrics()
    application.state.course = load_course()
    application.state.guide = Guide(application.state.course.outlines)
    application.state.reads_ahead = reads_ahead
    application.state.libraries = Libraries(application.state.course, load_pro_decks())
    application.state.templates = make_templates(STATIC)
    pool = Pool(configuration.limits)
    application.state.places = pool.places
    application.state.importer = Importer(pool.places)
    application.state.exports = Exports()
    application.state.frames = FrameStore(pool)
    application.state.jobs = Jobs(pool, configuration.jobs)
    application.state.metrics.watch(application)
    application.state.previews = playground.Previews()
    for module in (
        lessons,
        labs,
        anki,  # before cards, as the next
        own_cards,  # before cards: its address is among theirs
        cards,
        review,
        terminal,
        reference,
        signing_up,
        logging_in,
        account,
        tokens,
        membership,
        paying,
        classes,
        teaching,
        datasets,
        data_runs,
        own_data,
        owner,
        owners_words,
        placement,
        predictions,
        prompts,
        tags,
        progress,
        progress_tables,
        playground,
        playground_jobs,
        playground_predictions,
        health,
    ):
        application.router.routes.extend(module.router.routes)  # flat, so that each can be checked
    application.mount("/static", VersionedFiles(STATIC), name="static")
    errors.add_handlers(application)
    application.add_middleware(GZipMiddleware, minimum_size=1000)
    application.add_middleware(AnswerHead)
    application.add_middleware(TrustedHostMiddleware, allowed_hosts=configuration.allowed_hosts)
    application.add_middleware(SecurityHeaders, configuration)
    application.add_middleware(Records, metrics=application.state.metrics)
    if undeclared := undeclared_routes(application):
        raise RuntimeError(f"routes without a policy: {', '.join(undeclared)}")
    return application


@asynccontextmanager
async def _lifespan(application: FastAPI) -> AsyncIterator[None]:
    """Open the database, start the first worker and the reading of lessons; end all three at the end."""
    state = application.state
    state.database = open_database(state.configuration.database, state.configuration.files)
    erase_again(state.database, state.clock())
    state.tries = tries_of(state.database)
    state.jobs.share(job_store_of(state.database))
    state.workshop = Workshop(Shelf(state.database.beside(DATA)), state.database, state.clock, state.places)
    state.hashing = CapacityLimiter(HASHES_AT_ONCE)
    state.desk = Desk(state.payments, state.database, state.clock) if state.payments else None
    await state.frames.pool.warm_up()
    reading = ReadAhead(state.course)
    running: asyncio.Task[None] | None = None
    if state.reads_ahead:
        reading.start()
        running = asyncio.create_task(run_ahead(state.course, state.frames))
    yield
    if running is not None:
        running.cancel()
    reading.stop()
    await state.jobs.close()
    await state.workshop.close()
    if state.desk is not None:
        await state.desk.close()
    await state.frames.close()
    await state.frames.pool.close()
    state.database.close()
