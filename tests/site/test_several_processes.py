"""Two servers on one PostgreSQL database: one site to those who visit it."""

import re
import threading
from datetime import UTC, datetime, timedelta

import pytest
from site_databases import KIND
from starlette.testclient import TestClient

from slopewise.site.accounts.passwords import PasswordCost
from slopewise.site.administration import Administration
from slopewise.site.app import create_app
from slopewise.site.configuration import Configuration
from slopewise.site.storage.tables import Grant, Learner

pytestmark = pytest.mark.skipif(KIND != "postgresql", reason="one process serves an SQLite file")
PASSWORD = "correct horse battery staple"


class Mailbox:
    reaches_users = True

    def __init__(self):
        self.texts = []

    def send(self, to, subject, text):
        self.texts.append(text)


@pytest.fixture(scope="module")
def servers(new_database, tmp_path_factory):
    """Two servers, started at the same time on a database that has no tables yet."""
    url, files, mailbox = new_database(), tmp_path_factory.mktemp("files"), Mailbox()
    configuration = Configuration(database=url, files=files, password_cost=PasswordCost(1, 8, 1))
    clients = [
        TestClient(
            create_app(configuration, mailer=mailbox), base_url="http://127.0.0.1", follow_redirects=False
        )
        for _ in range(2)
    ]
    together = threading.Barrier(2)

    def start(client):
        together.wait()
        client.__enter__()

    in_parallel([lambda client=client: start(client) for client in clients])
    yield clients
    for client in clients:
        client.__exit__(None, None, None)


def in_parallel(jobs):
    threads = [threading.Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def post(client, path, fields, page):
    token = re.search(r'name="form_token" value="(\w+)"', client.get(page).text)[1]
    return client.post(path, data={"form_token": token, **fields})


def sign_up(client, email):
    client.cookies.clear()
    assert post(client, "/sign-up", {"email": email}, "/sign-up").status_code == 200
    link = re.search(r"/sign-up/\S+", client.app.state.mailer.texts[-1])[0]
    assert post(client, link, {"password": PASSWORD}, link).status_code == 303


def test_who_logs_in_at_one_is_known_to_the_other(servers):
    one, other = servers
    sign_up(one, "ada@example.org")
    other.cookies.update(dict(one.cookies))
    assert "ada@example.org" in other.get("/account").text
    assert post(other, "/log-out-everywhere", {}, "/account").status_code == 303
    assert one.get("/account").status_code == 303


def test_a_code_that_is_redeemed_at_both_at_once_gives_one_membership(servers):
    database = servers[0].app.state.database
    now = datetime.now(UTC)
    codes = Administration(database, now).make_codes(5, 30, now + timedelta(days=1))
    for number, server in enumerate(servers):
        sign_up(server, f"racer{number}@example.org")
    pages = [server.get("/membership").text for server in servers]
    tokens = [re.search(r'name="form_token" value="(\w+)"', page)[1] for page in pages]
    for code in codes:
        answers, together = [0, 0], threading.Barrier(2)

        def redeem(which, code=code, answers=answers, together=together):
            together.wait()
            fields = {"code": code, "form_token": tokens[which]}
            answers[which] = servers[which].post("/membership", data=fields).status_code

        in_parallel([lambda which=which, redeem=redeem: redeem(which) for which in range(2)])
        assert sorted(answers) == [303, 400]
    with database.reading() as session:
        assert session.query(Grant).count() == 5


def test_an_address_that_signs_up_at_both_at_once_has_one_account(servers):
    links = []
    for server in servers:
        server.cookies.clear()
    assert post(servers[0], "/sign-up", {"email": "twice@example.org"}, "/sign-up").status_code == 200
    link = re.search(r"/sign-up/\S+", servers[0].app.state.mailer.texts[-1])[0]
    tokens = [re.search(r'name="form_token" value="(\w+)"', server.get(link).text)[1] for server in servers]
    with servers[0].app.state.database.reading() as session:
        before = session.query(Learner).count()

    def finish(which):
        fields = {"password": PASSWORD, "form_token": tokens[which]}
        links.append(servers[which].post(link, data=fields).status_code)

    in_parallel([lambda which=which: finish(which) for which in range(2)])
    assert sorted(links) == [303, 410]
    with servers[0].app.state.database.reading() as session:
        assert session.query(Learner).count() == before + 1


def test_tries_at_both_count_together(servers):
    for server in servers:
        server.cookies.clear()
    sign_up(servers[0], "target@example.org")
    fields = {"email": "target@example.org", "password": "wrong"}
    servers[0].cookies.clear()
    answers = [post(servers[turn % 2], "/log-in", fields, "/log-in").status_code for turn in range(12)]
    assert answers == [400] * 10 + [429] * 2
