"""A site that others reach: cookies over https only, links to its own address, no console."""

import re

import pytest
from starlette.testclient import TestClient

from slopewise.site.accounts.passwords import PasswordCost
from slopewise.site.app import create_app
from slopewise.site.configuration import Configuration


class Mailbox:
    reaches_users = True

    def __init__(self):
        self.texts = []

    def send(self, to, subject, text):
        self.texts.append(text)


@pytest.fixture
def public(new_database, tmp_path, monkeypatch):
    """Make a client of a site behind https, with a mailer or without."""
    monkeypatch.delenv("SLOPEWISE_SMTP_URL", raising=False)
    opened = []

    def make(mailer=None):
        configuration = Configuration(
            host="0.0.0.0",
            public_url="https://learn.example.org",
            database=new_database(),
            files=tmp_path,
            password_cost=PasswordCost(1, 8, 1),
        )
        client = TestClient(
            create_app(configuration, mailer=mailer),
            base_url="https://learn.example.org",
            follow_redirects=False,
        )
        client.__enter__()
        opened.append(client)
        return client

    yield make
    for client in opened:
        client.__exit__(None, None, None)


def token(client, page):
    return re.search(r'name="form_token" value="(\w+)"', client.get(page).text)[1]


def test_cookies_are_secure_and_bound_to_the_host(public):
    mailbox = Mailbox()
    client = public(mailbox)
    fields = {"email": "ada@example.org", "form_token": token(client, "/sign-up")}
    client.post("/sign-up", data=fields, headers={"Host": "127.0.0.1", "X-Forwarded-Host": "elsewhere.org"})
    link = re.search(r"https://learn\.example\.org(/sign-up/\S+)", mailbox.texts[-1])[1]
    fields = {"password": "correct horse battery staple", "form_token": token(client, link)}
    cookie = client.post(link, data=fields).headers["set-cookie"]
    assert cookie.startswith("__Host-slopewise-session=")
    for part in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert part in cookie
    assert "Domain" not in cookie
    page = client.get("/account")
    assert page.status_code == 200
    assert page.headers["strict-transport-security"] == "max-age=31536000"


def test_without_a_mail_server_nothing_is_sent_or_printed_and_the_page_says_so(public, capsys):
    client = public()
    assert "This site sends no mail" in client.get("/sign-up").text
    assert "This site sends no mail" in client.get("/reset").text
    answer = client.post("/reset", data={"email": "a@example.org", "form_token": token(client, "/log-in")})
    assert answer.status_code == 200
    printed = capsys.readouterr()
    assert "/reset/" not in printed.out + printed.err


def test_a_redirect_leads_to_https_and_to_the_name_that_was_asked_for(tmp_path):
    configuration = Configuration(
        public_url="https://learn.example.org", database=f"sqlite:///{tmp_path / 'site.db'}"
    )
    # as a proxy passes it on; no page is made, so nothing has to be started
    proxy = TestClient(create_app(configuration), base_url="http://learn.example.org", follow_redirects=False)
    for headers in ({}, {"X-Forwarded-Host": "elsewhere.org", "X-Forwarded-Proto": "http"}):
        answer = proxy.get("/glossary/", headers=headers)
        assert answer.headers["location"] == "https://learn.example.org/glossary"
    assert proxy.get("/glossary/", headers={"Host": "elsewhere.org"}).status_code == 400
