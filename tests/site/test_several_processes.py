"""Two servers on one PostgreSQL database: one site to those who visit it."""

import re
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from site_databases import KIND
from sqlalchemy import select
from starlette.testclient import TestClient

from slopewise.site.accounts.passwords import PasswordCost
from slopewise.site.administration import Administration
from slopewise.site.app import create_app
from slopewise.site.configuration import Configuration
from slopewise.site.storage.engines import WAIT_SECONDS
from slopewise.site.storage.tables import Grant, Learner, OwnCard

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


def test_who_writes_rows_of_their_own_waits_for_nobody_else_who_does(servers):
    """Somebody else's transaction is open all the while: who waited for all writers would be refused."""
    learner = servers[0]
    sign_up(learner, "busy@example.org")
    headers = {"x-form-token": token_of(learner), "accept": "application/json"}
    rows = "\n".join(f"{row % 9},{row % 7},{'rose' if row % 2 else 'daisy'}" for row in range(60))
    fields = {"how": "paste", "text": f"height,width,kind\n{rows}", "name": "Flowers"}
    data_set = post(learner, "/data", fields, "/data").headers["location"]
    fields = {"target": "kind", "epochs": "800", "hidden": "128,128"}
    run = post(learner, f"{data_set}/runs", fields, data_set).headers["location"]
    now = datetime.now(UTC).isoformat()
    answer = {"kind": "answer", "item": "gradient-descent/q1", "value": 1, "at": now}
    settings = {"display_name": "Ada", "time_zone": "UTC", "rollover_hour": "4", "new_per_day": "20"}
    began = time.monotonic()
    with learner.app.state.database.writing(of="somebody else") as session:
        assert session.scalar(select(1)) == 1  # the first statement takes the locks
        assert post(learner, "/cards/own", {"front": "f", "back": "b"}, "/account").status_code == 303
        [path] = set(re.findall(r'action="(/cards/own/[\w-]+)"', learner.get("/cards/own").text))
        for fields in ({"front": "g", "back": "b"}, {"action": "delete"}):
            assert post(learner, path, fields, "/account").status_code == 303
        assert learner.post("/api/progress", json={"items": [answer]}, headers=headers).json() == {"kept": 1}
        assert post(learner, "/account/settings", settings, "/account").status_code == 303
        assert post(learner, "/lessons/gradient-descent/done", {"done": "1"}, "/account").status_code == 303
        assert post(learner, "/placement", {"answers": ""}, "/account").status_code == 303
        entry = {"id": str(uuid.uuid4()), "kind": "review", "grade": "good", "at": now}
        entry["card"] = learner.get("/api/queue").json()["cards"][0]["card"]
        kept = learner.post("/api/log", json={"entries": [entry]}, headers=headers).json()
        assert kept["stored"] == [entry["id"]]
        assert 'http-equiv="refresh"' in learner.get(run).text
    assert time.monotonic() - began < WAIT_SECONDS
    assert post(learner, run, {"action": "stop"}, run).status_code == 303


def token_of(client):
    return re.search(r'name="form_token" value="(\w+)"', client.get("/account").text)[1]


@pytest.fixture
def both(servers):
    """Both servers with the same learner, and the headers of their scripts."""
    sign_up(servers[0], f"both{uuid.uuid4().hex[:8]}@example.org")
    servers[1].cookies.clear()
    servers[1].cookies.update(dict(servers[0].cookies))
    return servers, {"x-form-token": token_of(servers[0]), "accept": "application/json"}


def test_answers_of_one_learner_that_reach_both_at_once_are_all_kept(both):
    servers, headers = both
    now = datetime.now(UTC)

    def send(which):
        for number in range(10):
            items = [
                {
                    "kind": "answer",
                    "item": f"lesson/{which}-{number}",
                    "value": number,
                    "at": now.isoformat(),
                },
                {
                    "kind": "draft",
                    "item": "same",
                    "value": [which, number],
                    "at": (now - timedelta(seconds=20 - number - which)).isoformat(),
                },
            ]
            answer = servers[which].post("/api/progress", json={"items": items}, headers=headers)
            assert answer.json() == {"kept": 2}

    in_parallel([lambda which=which: send(which) for which in range(2)])
    items = servers[0].get("/api/progress").json()["items"]
    assert sum(item["kind"] == "answer" for item in items) == 20
    assert [item["value"] for item in items if item["kind"] == "draft"] == [[1, 9]]  # the newest


def test_room_for_own_cards_holds_when_both_are_asked_at_once(both, monkeypatch):
    servers, _ = both
    monkeypatch.setattr("slopewise.site.accounts.own_cards.MOST", 5)
    statuses = []

    def add(which):
        token = token_of(servers[which])
        for number in range(5):
            fields = {"form_token": token, "front": f"{which}", "back": f"{number}"}
            statuses.append(servers[which].post("/cards/own", data=fields).status_code)

    in_parallel([lambda which=which: add(which) for which in range(2)])
    assert sorted(statuses) == [303] * 5 + [400] * 5


def test_a_prediction_that_failed_and_is_told_to_both_at_once_makes_one_card(both):
    servers, headers = both
    lesson = servers[0].app.state.course.lesson("gradient-descent")
    frames = lesson.lab.run(lesson.lab.read({}))
    step = next(place for place, frame in enumerate(frames) if frame.prediction is not None)
    answer = frames[step].prediction.answer
    failed = {"slug": "gradient-descent", "query": f"step={step}&guess={1 - min(answer, 1)}"}
    told = {"failed": [failed]}
    kept, together = [None, None], threading.Barrier(2)

    def tell(which):
        together.wait()
        until = time.monotonic() + 60
        while not kept[which] and time.monotonic() < until:  # a device sends again what a busy site left
            answer = servers[which].post("/api/predictions", json=told, headers=headers).json()
            kept[which] = answer["kept"]

    in_parallel([lambda which=which: tell(which) for which in range(2)])
    assert kept == [[0], [0]]
    with servers[0].app.state.database.reading() as session:
        made = session.query(OwnCard).filter(OwnCard.source.is_not(None)).count()
    assert made == 1
