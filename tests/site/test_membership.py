"""Who sees what: every route, as everybody, is looked through for the text of Pro cards."""

import html
import json
import re
import threading
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from archives import sample_decks, whatever_is_loaded
from site_visitors import lab_frame

from slopewise.site.accounts.membership import make_codes, redeem
from slopewise.site.administration import Administration
from slopewise.site.content.archive import pack
from slopewise.site.content.library import LOCKED, load_pro_decks
from slopewise.site.policies import _ATTRIBUTE

ROLES = ("anonymous", "free", "other", "lapsed", "pro", "teacher", "owner")
MEMBERS = ("pro", "teacher", "owner")
LOADED = sample_decks()
PRO_DECKS = [*load_pro_decks(), *LOADED]
PRO_CARDS = [card for deck in PRO_DECKS for card in deck.cards]
PASSWORD = "correct horse battery staple"
JSON = {"accept": "application/json"}


def pieces():
    """Return a stretch of plain words from the front and the back of each Pro card."""
    found = []
    for card in PRO_CARDS:
        for text in (card.front, card.back):
            stretches = re.split(r"\$[^$]*\$|`[^`]*`", text)
            found.append(" ".join(max(stretches, key=len).split()).strip(" .,:;?")[:60])
    return found


PIECES = pieces()
TELLING_IDS = {card.id for card in PRO_CARDS}


def leaked(text):
    """Return what of the Pro cards is in an answer, as text, as HTML or in JSON."""
    plain = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html.unescape(text.replace("\\n", " "))))
    return [piece for piece in PIECES if piece in plain or piece in text] + [
        card_id for card_id in TELLING_IDS if f'id="{card_id}"' in text or f"#{card_id}" in text
    ]


def owners_commands(site):
    return Administration(site.app.state.database, datetime.now(UTC))


@pytest.fixture(scope="module", autouse=True)
def loaded(site, tmp_path_factory):
    """Decks from a content archive, loaded while the site runs: they are guarded like the one it ships."""
    file = tmp_path_factory.mktemp("archive") / "decks.zip"
    file.write_bytes(pack("membership-test", "1.0", LOADED))
    with whatever_is_loaded(site):
        owners_commands(site).import_content(file)
        yield


@pytest.fixture
def everybody(site, browser):
    """A browser for each role. Those with an account have reviewed a Pro card while they could."""
    found = {role: browser() for role in ROLES}
    for role in ROLES[1:]:
        found[role].sign_up()
    commands = owners_commands(site)
    for role in ROLES[1:]:
        shown = found[role].post("/account/tokens", {"name": "a terminal"}).text
        found[role].card_token = re.search(r"slopewise-cards-[\w-]{43}", shown)[0]
    for role in ("lapsed", "pro", "teacher"):
        commands.grant_pro(found[role].email, datetime.now(UTC) + timedelta(days=30))
    commands.create_admin(found["owner"].email)
    put_into_a_class(found["teacher"], [found["free"], found["lapsed"]])
    for role in ROLES[1:]:
        for hour, card in ((12, PRO_CARDS[0]), (13, LOADED[0].cards[0])):
            entry = {"id": str(uuid.uuid4()), "kind": "review", "card": str(card.uuid), "grade": "again"}
            found[role].send("/api/log", {"entries": [{**entry, "at": f"2026-01-05T{hour}:00:00Z"}]})
        written = {"front": "my own question", "back": "my own answer"}
        assert found[role].post("/cards/own", written).status_code == 303
        note = {
            "kind": "draft",
            "item": "pro/note",
            "value": "a note of my own",
            "at": "2026-01-05T12:00:00Z",
        }
        found[role].send("/api/progress", {"items": [note]})
    commands.revoke_pro(found["lapsed"].email)
    return found


def put_into_a_class(teacher, members):
    """Let somebody teach a class whose members share their progress; a Pro deck is assigned to it."""
    made = teacher.post("/classes", {"name": "Tuesday", "time_zone": "UTC", "display_name": "Ms Noether"})
    teacher.class_id = re.search(r"/classes/([0-9a-f-]{36})", made.headers["location"])[1]
    page = teacher.get(f"/classes/{teacher.class_id}").text
    code = re.search(r'class="big-code">([\w-]+)<', page)[1]
    for number, member in enumerate(members):
        fields = {"code": code, "display_name": f"Pupil {number}", "share": "yes"}
        assert member.post("/classes/join", fields).status_code == 303
    fields = {"target": f"deck {PRO_DECKS[0].slug}"}
    assert teacher.post(f"/classes/{teacher.class_id}/assignments", fields).status_code == 303


def addresses(site, course, everybody):
    """Return an address of every GET route, for Pro decks too, and searches for words of Pro cards."""
    decks = [deck.slug for deck in PRO_DECKS] + [course.outlines[0].slug]
    found = []
    for route in site.app.routes:
        if "GET" not in getattr(route, "methods", ()):
            continue
        names = re.findall(r"{(\w+)}", route.path)
        values = {"slug": decks, "secret": ["x" * 43], "class_id": [everybody["teacher"].class_id]}
        values["medium_id"] = [str(uuid.uuid4())]
        for value in values.get(names[0], [str(uuid.uuid4())]) if names else [""]:
            found.append(re.sub(r"{\w+}", value, route.path))
    found += [f"/api/queue?deck={deck}" for deck in decks] + [f"/review?deck={deck}" for deck in decks]
    words = {word for piece in PIECES for word in re.findall(r"[A-Za-z]{9,}", piece)}
    return found + [f"/search?q={word}" for word in sorted(words)] + [f"/search?q={PRO_CARDS[0].id}"]


def test_the_pieces_are_telling():
    assert len(PIECES) >= 20
    assert min(len(piece) for piece in PIECES) >= 20


def test_no_way_in_shows_pro_text_to_whoever_may_not_read_it(site, course, everybody):
    tried = addresses(site, course, everybody)
    assert {"/account/export.json", "/account/reviews.csv", "/glossary", "/api/queue", "/search"} <= set(
        tried
    )
    shown = {role: set() for role in ROLES}
    for address in tried:
        for role, somebody in everybody.items():
            for headers in ({}, {"accept": "application/json"}):
                answer = somebody.get(address, headers=headers)
                assert answer.status_code < 500, (role, address)
                found = leaked(answer.text)
                if found:
                    shown[role].add(address.partition("?")[0])
                if role not in MEMBERS:
                    assert found == [], (role, address)
    ways = {f"/cards/{deck.slug}" for deck in PRO_DECKS} | {
        "/search",
        "/api/queue",
        "/review",
        "/account/export.json",
    }
    for role in MEMBERS:  # the same look finds the text where it may be: it would have found a leak
        assert ways <= shown[role], role


def by_token(everybody, role):
    """Return what a program sends along that has somebody's token."""
    token = getattr(everybody[role], "card_token", "of nobody")
    return {"authorization": f"Bearer {token}", "accept": "application/json"}


def test_no_way_in_shows_pro_text_to_whose_token_may_not_read_it(site, course, everybody, browser):
    device = browser()
    shown = {role: set() for role in ROLES}
    tried = [address for address in addresses(site, course, everybody) if not address.startswith("/search?")]
    for address in tried:
        for role in ROLES:
            answer = device.get(address, headers=by_token(everybody, role))
            assert answer.status_code < 500, (role, address)
            if leaked(answer.text):
                shown[role].add(address)
    assert shown == {role: {"/api/terminal/queue"} if role in MEMBERS else set() for role in ROLES}


def test_no_form_shows_pro_text_either(site, everybody, browser):
    for route in site.app.routes:
        if "POST" not in getattr(route, "methods", ()) or "log-out" in route.path:
            continue
        path = route.path.replace("{card_id}", str(PRO_CARDS[0].uuid)).replace("{secret}", "x" * 43)
        path = path.replace("{class_id}", everybody["teacher"].class_id)
        path = re.sub(r"{\w+_id}", str(uuid.uuid4()), path)
        for role in ("anonymous", "free", "other", "lapsed"):
            card = str(PRO_CARDS[0].uuid)
            fields = {"card": card, "id": str(uuid.uuid4()), "kind": "review", "grade": "good", "code": card}
            answer = everybody[role].post(path, fields)
            assert answer.status_code < 500
            assert leaked(answer.text) == [], (role, path)
            answer = browser().client.post(
                path, json={"entries": [fields]}, headers=by_token(everybody, role)
            )
            assert answer.status_code < 500
            assert leaked(answer.text) == [], (role, path)


def test_every_route_answers_as_its_policy_says(site, course, everybody, browser):
    lab_frame(site, course.outlines[0].slug)  # the table of a lab is there once the lab was run
    for route in site.app.routes:
        if "GET" not in getattr(route, "methods", ()):
            continue
        policy = getattr(route.endpoint, _ATTRIBUTE)
        path = route.path.replace("{slug}", course.outlines[0].slug).replace("{secret}", "x" * 43)
        path = path.replace("{class_id}", everybody["teacher"].class_id)
        if "{" in path:  # of nobody: what has an id of its own is its owner's alone
            path = re.sub(r"{\w+}", str(uuid.uuid4()), path)
            answers = {role: somebody.get(path, headers=JSON) for role, somebody in everybody.items()}
            expected = dict.fromkeys(ROLES, 404)
            if policy.name in ("signed in", "owner"):
                expected["anonymous"] = 401
            assert {role: answer.status_code for role, answer in answers.items()} == expected, path
            continue
        got = {role: somebody.get(path, headers=JSON).status_code for role, somebody in everybody.items()}
        if policy.name == "owner":
            assert got == dict.fromkeys(ROLES, 404) | {"anonymous": 401, "owner": 200}, path
            continue
        if policy.name == "token":
            assert got == dict.fromkeys(ROLES, 401), path  # a cookie is no token
            tokens = {role: browser().get(path, headers=by_token(everybody, role)) for role in ROLES}
            got = {role: answer.status_code for role, answer in tokens.items()}
            assert got == dict.fromkeys(ROLES, 200) | {"anonymous": 401}, path
            continue
        if policy.name == "signed in":
            assert got.pop("anonymous") == 401, path
        elif policy.name == "Pro member":
            expected = {"anonymous": 401, "free": 403, "other": 403, "lapsed": 403}
            expected |= {"pro": 404, "owner": 404, "teacher": 200}  # a class is its teacher's alone
            assert got == expected, path
            continue
        assert set(got.values()) <= {200, 303, 410}, (path, got)


@pytest.mark.parametrize("words", ["@example.org", "my own question", "my own answer", "a note of my own"])
def test_a_teacher_never_reads_addresses_own_cards_or_notes_of_members(site, course, everybody, words):
    teacher = everybody["teacher"]
    pages = [f"/classes/{teacher.class_id}", f"/classes/{teacher.class_id}/progress.csv", "/classes"]
    texts = [teacher.get(page).text for page in pages]
    assert "Pupil 0" in texts[0]
    assert "Pupil 1" in texts[1]
    assert [text for text in texts if words in text] == []


def test_whoever_is_not_the_teacher_changes_nothing_of_a_class(site, everybody):
    teacher = everybody["teacher"]
    before = teacher.get(f"/classes/{teacher.class_id}").text
    member = re.search(r"/members/([0-9a-f-]{36})", before)[1]
    assignment = re.search(r"/assignments/([0-9a-f-]{36})", before)[1]
    tried = 0
    for route in site.app.routes:
        if "POST" not in getattr(route, "methods", ()) or "{class_id}" not in route.path:
            continue
        if route.path.endswith(("/sharing", "/leave")):
            continue  # of members, not of the teacher
        path = route.path.replace("{class_id}", teacher.class_id).replace("{member_id}", member)
        path = path.replace("{assignment_id}", assignment)
        for role in ROLES[1:]:
            if role == "teacher":
                continue
            fields = {"name": "Stolen", "time_zone": "UTC", "days": "1", "sure": "yes", "action": "close"}
            answer = everybody[role].post(path, fields)
            refused = 404 if role in MEMBERS or path.endswith("/end") else 403
            assert answer.status_code == refused, (role, path)
            tried += 1
    assert tried >= 30
    after = teacher.get(f"/classes/{teacher.class_id}").text
    without_token = [
        re.sub(r'(name="form_token" value|data-form-token)="\w+"', "", page) for page in (before, after)
    ]
    assert without_token[0] == without_token[1]


def test_others_see_that_the_cards_exist(everybody):
    assert LOCKED == "Premium flash cards are for paid Pro members. Log in as a Pro member to view."
    assert len(PRO_DECKS) >= 3
    for deck in PRO_DECKS:
        for role in ("anonymous", "free", "other", "lapsed"):
            text = everybody[role].get(f"/cards/{deck.slug}").text
            assert text.count(LOCKED) == 1 + len(deck.cards)
            assert deck.title in everybody[role].get("/cards").text
        for role in MEMBERS:
            assert LOCKED not in everybody[role].get(f"/cards/{deck.slug}").text


def test_whoever_was_a_member_reads_that_it_has_ended(everybody):
    told = {role for role in ROLES if "Your membership has ended" in everybody[role].get("/membership").text}
    assert told == {"lapsed"}


def test_after_a_lapse_reviews_schedule_and_notes_still_export_and_pro_text_does_not(everybody):
    exports = {role: everybody[role].get("/account/export.json").json() for role in ("lapsed", "pro")}
    for role, value in exports.items():
        assert value["reviews"][0]["card"] == str(PRO_CARDS[0].uuid)
        assert value["schedule"][0]["reviews"] == 1
        assert value["progress"][0]["value"] == "a note of my own"
        assert value["own_cards"][0]["back"] == "my own answer"
        assert ("front" in value["reviews"][0]) == (role == "pro")
        assert ("back" in value["schedule"][0]) == (role == "pro")
    assert exports["pro"]["reviews"][0]["front"] == PRO_CARDS[0].front
    assert PRO_DECKS[0].title in everybody["lapsed"].get("/account/reviews.csv").text
    assert "2 cards to repeat" in everybody["pro"].get("/progress").text
    assert "to repeat</a>" not in everybody["lapsed"].get("/progress").text  # they cannot be asked for
    address = f"/cards/{PRO_DECKS[0].slug}"
    assert everybody["lapsed"].get(f"/review?deck={PRO_DECKS[0].slug}").headers["location"] == address


def test_a_grant_ends_when_it_says(site, browser, clock):
    somebody = browser().sign_up()
    owners_commands(site).grant_pro(somebody.email, datetime.now(UTC) + timedelta(days=10))
    address = f"/cards/{PRO_DECKS[0].slug}"
    clock.ahead = timedelta(days=9)
    assert leaked(somebody.get(address).text)
    clock.ahead = timedelta(days=11)
    assert leaked(somebody.get(address).text) == []
    assert "has ended" in somebody.get("/account").text


def codes(site, count=1, days=30, lasts=timedelta(days=60)):
    return owners_commands(site).make_codes(count, days, datetime.now(UTC) + lasts)


def test_a_code_opens_the_decks_once_however_it_is_typed(site, browser):
    code = codes(site)[0]
    somebody, other = browser().sign_up(), browser().sign_up()
    typed = f"  {code.replace('-', ' ').lower()} "
    answer = somebody.post("/membership", {"code": typed})
    assert answer.headers["location"] == "/account?done=redeemed"
    assert leaked(somebody.get(f"/cards/{PRO_DECKS[0].slug}").text)
    for again in (other, somebody):
        answer = again.post("/membership", {"code": code})
        assert answer.status_code == 400
        assert "not known, was used already, or is past its time" in answer.text


def test_codes_that_are_used_unknown_or_past_answer_alike(site, browser, clock):
    somebody = browser().sign_up()
    past = codes(site, lasts=timedelta(days=1))[0]
    clock.ahead = timedelta(days=2)
    texts = {
        re.sub(r"[0-9a-f]{64}", "", somebody.post("/membership", {"code": code}).text)
        for code in (past, "AAAAA-AAAAA-AAAAA-AAAAA-AAAAA", "")
    }
    assert len(texts) == 1


def test_days_of_a_second_code_are_added(site, browser):
    somebody = browser().sign_up()
    for code in codes(site, 2, days=30):
        somebody.post("/membership", {"code": code})
    memberships = somebody.get("/account/export.json").json()["memberships"]
    ends = [datetime.fromisoformat(row["ends_at"]) for row in memberships]
    assert ends[1] - ends[0] == timedelta(days=30)
    assert f"Pro until {ends[1].strftime('%-d %B %Y')}" in somebody.get("/account").text


def test_a_code_that_can_add_nothing_is_refused_and_stays_good(site, browser):
    somebody, code = browser().sign_up(), codes(site, days=3660)[0]
    owners_commands(site).grant_pro(somebody.email, datetime(2199, 12, 31, tzinfo=UTC))
    answer = somebody.post("/membership", {"code": code})
    assert answer.status_code == 400
    assert "The code was not used." in answer.text
    assert browser().sign_up().post("/membership", {"code": code}).status_code == 303


def test_codes_are_stored_as_digests(site):
    code = codes(site)[0]
    with site.app.state.database.engine.connect() as connection:
        rows = str(connection.exec_driver_sql("SELECT * FROM codes").fetchall())
    assert code not in rows
    assert code.replace("-", "") not in rows


def test_a_code_is_redeemed_once_when_many_try_at_the_same_time(site, browser):
    code = codes(site)[0]
    people = [browser().sign_up() for _ in range(8)]
    tokens = [somebody.token("/membership") for somebody in people]
    barrier, answers = threading.Barrier(8), []

    def redeem_at_once(somebody, token):
        barrier.wait()
        answer = somebody.client.post("/membership", data={"code": code, "form_token": token})
        answers.append(answer.status_code)

    threads = [threading.Thread(target=redeem_at_once, args=pair) for pair in zip(people, tokens)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [303] + [400] * 7
    members = [somebody for somebody in people if leaked(somebody.get(f"/cards/{PRO_DECKS[0].slug}").text)]
    assert len(members) == 1


def test_guessing_codes_is_limited(browser):
    somebody = browser().sign_up()
    answers = [somebody.post("/membership", {"code": f"{n}"}).status_code for n in range(12)]
    assert answers == [400] * 10 + [429] * 2


def test_a_code_that_fails_half_way_can_be_redeemed_again(site, browser):
    """Taking a code and giving the membership are one transaction."""
    somebody = browser().sign_up()
    database, now = site.app.state.database, datetime.now(UTC)
    with database.writing() as session:
        code = make_codes(session, 1, 30, now + timedelta(days=1), now)[0]
    with pytest.raises(RuntimeError, match="half way"), database.writing() as session:
        redeem(session, uuid.UUID(int=1), code, now)
        raise RuntimeError("half way")
    assert somebody.post("/membership", {"code": code}).status_code == 303


def test_an_export_is_whole_and_json(everybody):
    value = json.loads(everybody["free"].get("/account/export.json").text)
    assert set(value) == {
        *("format", "exported_at", "account", "memberships", "classes", "own_cards"),
        *("imported_cards", "reviews", "events", "schedule", "progress", "data_sets", "payments", "tokens"),
    }
    assert (
        everybody["free"].get("/account/export.json").headers["content-disposition"].startswith("attachment")
    )


def test_nobody_exports_what_is_another_s(everybody):
    for role in ROLES[1:]:
        text = everybody[role].get("/account/export.json").text
        others = [everybody[other].email for other in ROLES[1:] if other != role]
        assert everybody[role].email in text
        assert not any(email in text for email in others)
