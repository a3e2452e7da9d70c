"""`slopewise site` as a process of its own, as operators run it."""

import http.client
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

OURS = (sys.executable, "-m", "slopewise")
START_SECONDS = 60


class Running:
    """A site that was started, what it printed, and its log."""

    def __init__(self, process, log):
        self.process, self.log = process, log
        self.printed, self.address = "", ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.printed += line

    @property
    def port(self):
        return urlsplit(self.address).port

    def ask(self, method, path, body=None, headers=None, timeout=30):
        """Return status and text of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def wait_until_it_answers(self):
        until = time.monotonic() + START_SECONDS
        while True:
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < until, f"the site does not answer: {self.log.read_text()}"
            if found := re.search(r"Slopewise is at (http://127\.0\.0\.1:\d+)", self.printed):
                self.address = found[1]
                try:
                    if self.ask("GET", "/healthz", timeout=5)[0] == 200:
                        return
                except OSError:
                    pass  # it does not listen yet
            time.sleep(0.05)

    def workers(self):
        """Return the ids of all processes below the site's own."""
        found, waiting = [], [self.process.pid]
        while waiting:
            for file in Path(f"/proc/{waiting.pop()}/task").glob("*/children"):
                below = [int(number) for number in file.read_text().split()]
                found += below
                waiting += below
        return found

    def stop(self):
        """Ask the process to stop as a supervisor does, and return its exit status."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(40)
        self._reader.join(10)
        return status


@contextmanager
def running_site(database, folder, *options, program=OURS, environment=None):
    """Yield a site that answers, on a port of its own; it is gone at the end."""
    log = folder / "site.log"
    command = [*program, "site", "--port", "0", "--database", database, "--files", folder, *options]
    with open(log, "w") as file:
        process = subprocess.Popen(
            list(map(str, command)),
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
            cwd=folder,
            env=environment,
        )
    site = Running(process, log)
    try:
        site.wait_until_it_answers()
        yield site
    finally:
        process.kill()
        process.wait(20)
        site._reader.join(10)
        process.stdout.close()


def is_alive(process_id):
    """Whether a process runs; one that has ended and was not asked for yet does not."""
    try:
        status = Path(f"/proc/{process_id}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
