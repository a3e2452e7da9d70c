"""What a client does with addresses that are unsafe, and with whatever answers that is no site."""

import socket
import threading

import pytest

from slopewise.engine.errors import ArgumentError
from slopewise.site.terminal.connection import (
    Connection,
    RefusedTokenError,
    SiteError,
    UnreachableError,
    site_address,
)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://learn.example.org", "https://learn.example.org"),
        (" https://learn.example.org:8443/\n", "https://learn.example.org:8443"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("http://[::1]:8000/", "http://[::1]:8000"),
    ],
)
def test_addresses_that_are_safe(text, address):
    assert site_address(text) == address


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("http://learn.example.org", "needs https"),
        ("http://127.0.0.1.example.org", "needs https"),
        ("http://0.0.0.0:8000", "needs https"),
        ("http://localhost@example.org", "is an address such as"),
        ("ftp://learn.example.org", "is an address such as"),
        ("learn.example.org", "is an address such as"),
        ("https://learn.example.org/path", "is an address such as"),
        ("https://a b", "is an address such as"),
        ("https://x:99999", "is an address such as"),
        ("https://[", "is an address such as"),
        ("", "is an address such as"),
    ],
)
def test_addresses_that_are_not(text, says):
    with pytest.raises(ArgumentError, match=says):
        site_address(text)


class Answers:
    """A server that answers everything with the same bytes, and keeps what came."""

    def __init__(self, answer):
        self.answer, self.came = answer, b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self.came += connection.recv(65536)
                if self.answer is None:
                    threading.Event().wait(1)
                else:
                    connection.sendall(self.answer)

    def close(self):
        self._listener.close()


def http(status, body=b"{}", headers=""):
    return f"HTTP/1.1 {status} x\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (http(401), RefusedTokenError, "does not know this token, .* slopewise cards log-in --site http"),
        (http(404), SiteError, "serves no cards"),
        (http(400, b'{"error": "Nothing was kept: x."}'), SiteError, "says: Nothing was kept"),
        (http(403, b"<html>"), SiteError, "serves no cards"),
        (http(429), UnreachableError, r"is busy \(429\)$"),
        (
            http(429, headers="Retry-After: 40\r\n"),
            UnreachableError,
            r"busy \(429\); come back in 40 seconds$",
        ),
        (http(429, headers="Retry-After: 86400\r\n"), UnreachableError, "come back in 15 minutes$"),
        (http(503), UnreachableError, "busy"),
        (http(200, b"<html>"), SiteError, "no site of Slopewise"),
        (http(200, b"[]"), SiteError, "no site of Slopewise"),
        (http(200, b"[" * 100_000), SiteError, "no site of Slopewise"),
        (http(200, b'{"format": 2}'), SiteError, "update slopewise"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", UnreachableError, "cannot be reached"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{", UnreachableError, "was cut off"),
        (b"", UnreachableError, "cannot be reached"),
        (None, UnreachableError, "does not answer"),
    ],
)
def test_whatever_answers_is_told_in_one_line(answer, error, says):
    server = Answers(answer)
    with pytest.raises(error, match=says) as caught:
        Connection(server.address, "slopewise-cards-x", seconds=0.4).queue()
    assert "\n" not in str(caught.value)
    server.close()


def test_nobody_there_is_told_in_one_line():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(UnreachableError, match="cannot be reached"):
        Connection(address, "slopewise-cards-x").queue()


def test_a_token_goes_to_nobody_else():
    elsewhere = Answers(http(200, b'{"format": 1}'))
    server = Answers(http(302, b"", f"Location: {elsewhere.address}/api/terminal/queue\r\n"))
    with pytest.raises(SiteError, match="points elsewhere"):
        Connection(server.address, "slopewise-cards-x").queue()
    assert b"Bearer slopewise-cards-x" in server.came
    assert elsewhere.came == b""
    for each in (server, elsewhere):
        each.close()


def test_what_is_sent_to_this_machine_goes_through_no_proxy(monkeypatch):
    proxy, server = Answers(http(200)), Answers(http(200, b'{"format": 1}'))
    monkeypatch.setenv("http_proxy", proxy.address)
    monkeypatch.delenv("no_proxy", raising=False)
    assert Connection(server.address, "slopewise-cards-x").queue() == {"format": 1}
    assert proxy.came == b""
    for each in (server, proxy):
        each.close()
