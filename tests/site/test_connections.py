"""What becomes of work for an answer when its reader goes."""

import asyncio
import logging

import pytest
import uvicorn

from slopewise.site.connections import PatientConnection

PART = {"type": "http.response.body", "body": b"a part", "more_body": True}
REST = {"type": "http.response.body", "body": b"the rest"}


def visit(application, method="GET"):
    """Ask a server for a page, go as soon as there is an answer, and return once the server has stopped."""

    async def ask():
        config = uvicorn.Config(application, port=0, http=PatientConnection, lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"{method} / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n".encode())
        await reader.readuntil(b"the rest" if application is answers_then_tidies_up else b"a part")
        writer.close()
        await writer.wait_closed()
        server.should_exit = True
        await serving

    asyncio.run(ask())


ENDED = []


@pytest.fixture(autouse=True)
def ended():
    ENDED.clear()
    return ENDED


async def answers_then_tidies_up(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send(PART)
    await send(REST)
    await asyncio.sleep(0.2)
    ENDED.append("tidied up")


async def answers_slowly(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send(PART)
    try:
        await asyncio.sleep(0.5)
        ENDED.append("done")
    except asyncio.CancelledError:
        ENDED.append("dropped")
        raise


def test_what_follows_an_answer_is_not_dropped_because_its_reader_goes(ended, caplog):
    with caplog.at_level(logging.ERROR):
        visit(answers_then_tidies_up)
    assert ended == ["tidied up"]
    assert caplog.records == []


@pytest.mark.parametrize(("method", "what"), [("GET", "dropped"), ("POST", "done")])
def test_an_answer_that_nobody_waits_for_is_dropped_unless_it_changes_something(method, what, ended, caplog):
    with caplog.at_level(logging.ERROR):
        visit(answers_slowly, method)
    assert ended == [what]
    assert caplog.records == []
