"""Those who visit the site in tests: browsers without a screen, their mailbox, and a clock to set ahead."""

import hashlib
import itertools
import re
import time
import uuid
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from slopewise.site.administration import Administration

PASSWORD = "correct horse battery staple"


def run_lab(client, slug, **query):
    """Run a lab as the button on its page does, from a browser without an account; return the answer."""
    secret = "a-browser-of-the-tests"
    token = hashlib.sha256(f"form {secret}".encode()).hexdigest()
    headers = {"cookie": f"slopewise-form={secret}", "x-form-token": token, "accept": "application/json"}
    return client.post(f"/labs/{slug}/runs", json={"query": urlencode(query)}, headers=headers)


def lab_frame(client, slug, **query):
    """Return one step of a lab, which is run first if nobody has run it at these settings."""
    address, headers = f"/labs/{slug}/frame", {"accept": "application/json"}
    answer, until = client.get(address, params=query, headers=headers), time.monotonic() + 20
    while answer.json().get("state") in ("ready", "waiting"):
        assert time.monotonic() < until, "the run does not end"
        assert run_lab(client, slug, **query).status_code in (200, 400, 503)  # others may have the cores
        answer = client.get(address, params=query, headers=headers)
    return answer


class Mailbox:
    """Keeps mails instead of sending them."""

    reaches_users = True

    def __init__(self):
        self.mails = []

    def send(self, to, subject, text):
        self.mails.append((to, subject, text))

    def to(self, email):
        return [(subject, text) for address, subject, text in self.mails if address == email]

    def link(self, email, before=0):
        """Return the path of the link in the last mail to somebody; it is sent after the answer is out.

        `before` counts the mails that somebody had already.
        """
        until = time.monotonic() + 10
        while len(self.to(email)) <= before:
            assert time.monotonic() < until, f"no mail came to {email}"
            time.sleep(0.02)
        return re.search(r"http://[^/]+(/\S+)", self.to(email)[-1][1])[1]


class Clock:
    """A clock that can be set ahead."""

    def __init__(self):
        self.ahead = timedelta()

    def __call__(self):
        return datetime.now(UTC) + self.ahead


class Browser:
    """Visits the site with cookies of its own; forms are sent with the token of the page they stand on."""

    numbers = itertools.count(1)

    def __init__(self, client, mailbox):
        self.client = client
        self.mailbox = mailbox
        self.email = ""

    def get(self, path, **options):
        return self.client.get(path, **options)

    def token(self, page="/log-in"):
        """Return the token of a page's form."""
        text = self.client.get(page).text
        found = re.search(r'name="form_token" value="(\w+)"', text) or re.search(
            r'data-form-token="(\w+)"', text
        )
        return found[1] if found else ""

    def post(self, path, fields=None, page=None, **options):
        page = page or ("/account" if self.email else "/log-in")
        return self.client.post(path, data={"form_token": self.token(page), **(fields or {})}, **options)

    def send(self, path, value, page="/account", **options):
        """Send JSON as the scripts do."""
        headers = {"x-form-token": self.token(page), "accept": "application/json"}
        return self.client.post(path, json=value, headers=headers, **options)

    def sign_up(self, email=None, password=PASSWORD, time_zone="UTC"):
        """Make an account and be logged in."""
        email = email or f"learner{next(self.numbers)}@example.org"
        assert self.post("/sign-up", {"email": email}).status_code == 200
        link = self.mailbox.link(email)
        answer = self.post(link, {"password": password, "time_zone": time_zone}, page=link)
        assert answer.status_code == 303, answer.text
        self.email = email
        return self

    def log_in(self, email, password=PASSWORD):
        answer = self.post("/log-in", {"email": email, "password": password}, page="/log-in")
        if answer.status_code == 303:
            self.email = email
        return answer

    @property
    def is_signed_in(self):
        return self.get("/account").status_code == 200


def give_everything(somebody, pupil, database):
    """Sign somebody up as the owner, with Pro, a review, a resting and an own card, a class, and data.

    `somebody.only_told` are the addresses of pages that are told and not linked.
    """
    somebody.sign_up()
    pupil.sign_up()
    Administration(database, datetime.now(UTC)).create_admin(somebody.email)
    assert somebody.post("/cards/own", {"front": "a question", "back": "an answer"}).status_code == 303
    cards = [card["card"] for card in somebody.get("/api/queue").json()["cards"]]
    now = datetime.now(UTC).isoformat()
    entries = [
        {"id": str(uuid.uuid4()), "kind": "review", "card": cards[0], "grade": "good", "at": now},
        {"id": str(uuid.uuid4()), "kind": "suspend", "card": cards[1], "at": now},
    ]
    assert len(somebody.send("/api/log", {"entries": entries}).json()["stored"]) == 2
    made = somebody.post("/classes", {"name": "Tuesday", "time_zone": "UTC", "display_name": "Ms Noether"})
    place = made.headers["location"].partition("?")[0]
    code = re.search(r'class="big-code">([\w-]+)<', somebody.get(place).text)[1]
    fields = {"code": code, "display_name": "A pupil", "share": "yes"}
    assert pupil.post("/classes/join", fields).status_code == 303
    rows = "\n".join(f"{row % 9},{row % 7},{'rose' if row % 2 else 'daisy'}" for row in range(60))
    fields = {"how": "paste", "text": f"height,width,kind\n{rows}", "name": "Flowers"}
    data = somebody.post("/data", fields, page="/data").headers["location"]
    shared = somebody.post(data, {"action": "share"}, page=data).text
    fields = {"target": "kind", "epochs": "2", "hidden": "4"}
    run = somebody.post(f"{data}/runs", fields, page=data).headers["location"]
    until = time.monotonic() + 60
    while 'http-equiv="refresh"' in somebody.get(run).text:
        assert time.monotonic() < until, "the training did not end"
        time.sleep(0.2)
    somebody.only_told = (run, re.search(r"/data/shared/[\w-]+", shared)[0])
    return somebody
