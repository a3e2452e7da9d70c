"""The site behind a real socket that can be closed and opened again, and devices that review there."""

import re
import socket
import time

import pytest
import uvicorn

from slopewise.site.terminal.connection import Connection
from slopewise.site.terminal.device import Device


class LiveSite:
    """The application of the tests at a port of its own, in the event loop in which it was started."""

    def __init__(self, site):
        self._site = site
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self):
        config = uvicorn.Config(self._site.app, port=self.port, lifespan="off", log_config=None)
        self._server = uvicorn.Server(config)
        self._future = self._site.portal.start_task_soon(self._server.serve)
        until = time.monotonic() + 20
        while not self._server.started:
            assert time.monotonic() < until, "the site does not serve"
            time.sleep(0.02)

    def stop(self):
        self._server.should_exit = True
        self._server.force_exit = True
        self._future.result(20)


@pytest.fixture
def live(site):
    _ = site.app.state.course.lessons  # reading them can take longer than a client waits
    served = LiveSite(site)
    yield served
    if not served._future.done():
        served.stop()


@pytest.fixture
def somebody(browser):
    """A learner with a token."""
    made = browser().sign_up()
    made.card_token = new_token(made)
    return made


def new_token(learner):
    page = learner.post("/account/tokens", {"name": "a terminal"}).text
    return re.search(r"slopewise-cards-[\w-]{43}", page)[0]


@pytest.fixture
def connect(live, somebody):
    """Makes connections with the learner's token."""
    return lambda made=Connection, **options: made(live.address, somebody.card_token, **options)


@pytest.fixture
def device(tmp_path, live):
    return Device(tmp_path / "cards", live.address)
