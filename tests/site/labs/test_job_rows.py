"""Live trainings that two server processes share through a database."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, select

from slopewise.site.accounts.accounts import add_account
from slopewise.site.labs.job_rows import DatabaseStore
from slopewise.site.labs.jobs import JobLimits, Jobs
from slopewise.site.labs.places import LabBusyError
from slopewise.site.labs.pool import Limits, Pool
from slopewise.site.playground.design import check_design, read_values
from slopewise.site.storage.database import open_database
from slopewise.site.storage.erasure import erase
from slopewise.site.storage.job_tables import LiveJob, Opening

VALUES = dict(check_design(read_values({})).values)
ADA, GRACE = "account ada", "browser grace"
HOME = "192.0.2.7"


class Clock:
    def __init__(self):
        self.ahead = timedelta()

    def __call__(self):
        return datetime.now(UTC) + self.ahead


async def nothing(values):
    return {}


@pytest.fixture(scope="module")
def loop():
    made = asyncio.new_event_loop()
    yield made
    made.close()


@pytest.fixture(scope="module")
def run(loop):
    return lambda work: loop.run_until_complete(asyncio.wait_for(work, 60))


@pytest.fixture(scope="module")
def database(new_database, tmp_path_factory):
    made = open_database(new_database(), tmp_path_factory.mktemp("files"))
    yield made
    made.close()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(scope="module")
def pool(run):
    made = Pool(Limits(workers=1))
    yield made
    run(made.close())


@pytest.fixture
def servers(database, pool, clock, run):
    """Two processes of a site, as far as their trainings go."""

    async def begin():
        made = [Jobs(pool), Jobs(pool)]
        for jobs in made:
            jobs.share(DatabaseStore(database, clock))
        return made

    made = run(begin())
    yield made
    for jobs in made:
        run(jobs.close())
    with database.writing() as session:
        for table in (LiveJob, Opening):
            session.execute(delete(table))


def rows(database):
    with database.reading() as session:
        return list(session.scalars(select(LiveJob)))


async def until(found):
    while not found():
        await asyncio.sleep(0.01)


async def rests_at(job, step):
    await until(lambda: job.state == "paused" and job.step == step)


async def in_step(jobs):
    """Wait until a process has told what it holds."""
    await jobs._exchange()


async def known_at_rest(jobs, step):
    """Begin a training of Ada's, which rests at a step, and let the other process know of it."""
    job = await jobs.start(ADA, HOME, VALUES, step)
    await rests_at(job, step)
    await in_step(jobs)
    return job


def test_whoever_is_asked_for_the_stream_goes_on_with_a_training_to_the_same_numbers(servers, run):
    one, other = servers

    async def work():
        job = await one.start(ADA, HOME, VALUES, 50)
        streamed = [message async for _, message in until_rest(one, job, 50)]
        await in_step(one)
        old_stream = asyncio.ensure_future(anext(one.stream(job, 50)))
        await old_stream
        leaving = asyncio.ensure_future(everything(one, job))
        adopted = await other.adopt(ADA, job.id, nothing)
        first = adopted.message(-1, -1)
        again = [message async for _, message in until_rest(other, adopted, 50)]
        left = await leaving
        return job, streamed, first, again, left

    job, streamed, first, again, left = run(work())
    assert (first["step"], first["state"]) == (50, "running")
    assert "view" not in first
    assert all(message["step"] == 50 for message in again)  # no going back to the start is shown
    assert again[-1]["view"] == [m["view"] for m in streamed if "view" in m][-1]
    assert points(again) == points(streamed)
    assert one.find(ADA, job.id) is None
    assert left[-1]["state"] != "ended"  # its stream ends without a word, and the browser asks again


async def until_rest(jobs, job, step):
    async for found in jobs.stream(job, -1):
        yield found
        if found[1]["state"] == "paused" and found[1]["step"] == step and not job.resumes_at:
            return


async def everything(jobs, job):
    return [message async for _, message in jobs.stream(job, -1)]


def points(messages):
    return [point for message in messages for point in message["points"]]


def test_a_stream_goes_on_at_another_process_after_the_last_step_that_came(servers, run):
    one, other = servers

    async def work():
        job = await known_at_rest(one, 30)
        adopted = await other.adopt(ADA, job.id, nothing)
        await rests_at(adopted, 30)
        return adopted.message(20, -1)["points"]

    assert [point[0] for point in run(work())] == list(range(21, 31))


def test_a_wish_that_reaches_another_process_is_done_where_the_training_is(servers, run):
    one, other = servers

    async def work():
        job = await known_at_rest(one, 5)
        told = await other.ask(ADA, job.id, "go", 9, nothing)
        assert told.shown_step == 5
        await rests_at(job, 9)
        assert len(other) == 0
        await other.ask(ADA, job.id, "go", 20_000, nothing)
        await until(lambda: job.step > 9)
        await other.ask(ADA, job.id, "pause", 0, nothing)
        await until(lambda: job.state == "paused")
        assert 9 < job.step < 20_000
        await other.ask(ADA, job.id, "stop", 0, nothing)
        await until(lambda: job.why == "stopped")
        assert await other.ask(GRACE, job.id, "go", 3, nothing) is None
        await in_step(one)
        assert await other.ask(ADA, job.id, "go", 3, nothing) is None

    run(work())


def test_an_opening_of_the_test_set_is_known_to_all_processes_and_outlives_the_training(servers, run):
    one, other = servers

    async def work():
        job = await known_at_rest(one, 5)
        told = await other.ask(ADA, job.id, "open-test", 0, nothing)
        assert told.openings == [5]
        await until(lambda: job.is_test_open)
        await in_step(one)
        adopted = await other.adopt(ADA, job.id, nothing)
        assert (adopted.is_test_open, adopted.openings) == (True, [5])
        again = await one.start(ADA, HOME, {**VALUES, "lr": 0.01}, 0)
        assert (again.is_test_open, again.openings) == (False, [5])
        elsewhere = await other.start(GRACE, HOME, VALUES, 0)
        assert elsewhere.openings == []

    run(work())


def test_a_visitor_has_one_training_in_all_processes(servers, run, database):
    one, other = servers

    async def work():
        first = await one.start(ADA, HOME, VALUES, 20_000)
        second = await other.start(ADA, HOME, VALUES, 3)
        await until(lambda: first.why)
        await rests_at(second, 3)
        return first, second

    first, second = run(work())
    assert first.why == "another training of yours has begun, and a visitor has one at a time"
    assert [row.id for row in rows(database)] == [second.id]


def test_a_process_that_has_stopped_is_not_waited_for(servers, run, clock):
    one, other = servers

    async def work():
        job = await known_at_rest(one, 12)
        one._sharing.cancel()  # as if it had been killed
        told = await other.ask(ADA, job.id, "go", 14, nothing)
        assert len(other) == 0  # it was alive just now: the wish waits for it
        clock.ahead = timedelta(seconds=10)
        told = await other.ask(ADA, job.id, "go", 16, nothing)
        assert other.find(ADA, job.id) is told
        await rests_at(told, 16)
        assert told.resumes_at == 0

    run(work())


def test_a_wish_that_nobody_did_is_done_by_whoever_goes_on(servers, run):
    one, other = servers

    async def work():
        job = await known_at_rest(one, 12)
        one._sharing.cancel()
        await other.ask(ADA, job.id, "go", 14, nothing)
        await rests_at(await other.adopt(ADA, job.id, nothing), 14)

    run(work())


def test_a_process_that_stops_in_good_order_gives_its_trainings_back(servers, run):
    one, other = servers

    async def work():
        job = await one.start(ADA, HOME, VALUES, 8)
        await rests_at(job, 8)
        stream = asyncio.ensure_future(everything(one, job))
        await in_step(one)
        await one.close()
        assert (await stream)[-1]["state"] != "ended"
        told = await other.ask(ADA, job.id, "go", 10, nothing)
        assert other.find(ADA, job.id) is told
        await rests_at(told, 10)

    run(work())


@pytest.mark.parametrize("limits", [JobLimits(jobs=2), JobLimits(by_network=2)])
def test_trainings_are_counted_in_all_processes(servers, run, limits):
    one, other = servers
    one.limits = other.limits = limits

    async def work():
        kept = await one.start(ADA, HOME, VALUES, 1)
        await other.start(GRACE, HOME, VALUES, 1)
        with pytest.raises(LabBusyError, match="try again in a minute"):
            await one.start("browser third", HOME, VALUES, 1)
        await one.start(ADA, HOME, VALUES, 2)  # in the place of one's own
        assert kept.why

    run(work())


def test_trainings_of_accounts_are_not_counted_with_a_network(servers, run):
    one, other = servers
    one.limits = other.limits = JobLimits(by_network=1)

    async def work():
        for number, server in enumerate((one, other, one)):
            await server.start(f"account {number}", "", VALUES, 0)
        await one.start(ADA, HOME, VALUES, 0)
        with pytest.raises(LabBusyError):
            await other.start(GRACE, HOME, VALUES, 0)

    run(work())


def test_rows_of_trainings_end_with_them_and_tell_nothing_of_their_visitors(servers, run, database, clock):
    one, other = servers

    async def work():
        job = await one.start(ADA, HOME, VALUES, 1)
        await one.open_test(job)
        [row] = rows(database)
        assert not {ADA, HOME} & {str(value) for value in vars(row).values()}
        job.end("stopped")
        await in_step(one)
        assert rows(database) == []
        await one.start(ADA, HOME, VALUES, 1)
        one._sharing.cancel()
        clock.ahead = timedelta(minutes=3)
        await other.store.sweep()
        assert rows(database) == []
        clock.ahead = timedelta(days=31)
        await other.store.sweep()
        with database.reading() as session:
            assert session.scalar(select(Opening)) is None

    run(work())


def test_a_training_keeps_the_seconds_that_it_used_when_it_moves(servers, run):
    one, other = servers

    async def work():
        job = await known_at_rest(one, 40)
        used = job.seconds
        adopted = await other.adopt(ADA, job.id, nothing)
        assert adopted.seconds >= used > 0

    run(work())


def test_own_rows_that_are_gone_end_a_training_that_moves(servers, run):
    one, other = servers

    async def gone(values):
        raise LabBusyError("gone")

    async def work():
        job = await one.start(ADA, HOME, VALUES, 1)
        await in_step(one)
        with pytest.raises(LabBusyError):
            await other.adopt(ADA, job.id, gone)
        await in_step(one)
        assert not job.why  # it stays where its rows are

    run(work())


def test_who_waited_for_long_does_not_go_to_the_end_of_the_queue_of_another_process(servers, run):
    one, other = servers
    other.pool = Pool(Limits(workers=1))  # as it has where it is a process of its own

    async def work():
        for jobs, owner in ((one, "browser busy"), (other, "browser working")):
            await jobs.start(owner, HOME, VALUES, 20_000)
        early = await one.start(ADA, HOME, VALUES, 20_000)
        late = await other.start(GRACE, HOME, VALUES, 20_000)
        assert (early.place, late.place) == (1, 1)
        await in_step(one)
        adopted = await other.adopt(ADA, early.id, nothing)
        assert (adopted.place, late.place) == (1, 2)
        await other.close()
        await other.pool.close()

    run(work())


def test_an_account_that_is_deleted_leaves_nothing_of_its_trainings(servers, run, database):
    with database.writing() as session:
        made = add_account(session, "ada@example.org", datetime.now(UTC))
        learner, account = made.learner_id, made.id

    async def work():
        job = await servers[0].start(f"account {account}", HOME, VALUES, 1)
        await servers[0].open_test(job)
        await in_step(servers[0])
        await asyncio.to_thread(erase, database, learner, datetime.now(UTC))
        await until(lambda: job.why)

    run(work())
    with database.reading() as session:
        assert session.scalar(select(LiveJob)) is session.scalar(select(Opening)) is None
