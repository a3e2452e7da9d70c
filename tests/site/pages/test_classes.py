"""Classes over HTTP: joining, consent, what a teacher sees, what is due."""

import csv
import io
import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy
from limits import parse

from slopewise.site.administration import Administration
from slopewise.site.storage.class_tables import ClassMember, SchoolClass
from slopewise.site.storage.tables import Account, AuditEntry

LESSON = "gradient-descent"


def make_teacher(site, browser, zone="UTC"):
    somebody = browser().sign_up(time_zone=zone)
    commands = Administration(site.app.state.database, datetime.now(UTC))
    commands.grant_pro(somebody.email, datetime.now(UTC) + timedelta(days=30))
    return somebody


def make_class(teacher, zone="UTC", name="Tuesday group"):
    """Make a class, and return its address."""
    fields = {"name": name, "time_zone": zone, "display_name": "Ms Noether"}
    answer = teacher.post("/classes", fields)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("?")[0]


def code_of(teacher, address):
    found = re.search(r'class="big-code">([\w-]+)<', teacher.get(address).text)
    return found[1] if found else ""


def join(somebody, code, share="yes", name="Emmy"):
    return somebody.post("/classes/join", {"code": code, "display_name": name, "share": share})


def assign(teacher, address, target=f"lesson {LESSON}", due=""):
    return teacher.post(f"{address}/assignments", {"target": target, "due": due})


def answer_questions(course, somebody, count):
    questions = course.entry(LESSON).outline.question_outlines[:count]
    items = [
        {"kind": "answer", "item": question.item, "value": 1, "at": "2026-01-05T12:00:00Z"}
        for question in questions
    ]
    assert somebody.send("/api/progress", {"items": items}).status_code == 200


def size(course):
    return course.entry(LESSON).outline.questions


def table(teacher, address):
    answer = teacher.get(f"{address}/progress.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.reader(io.StringIO(answer.text)))


@pytest.fixture
def teacher(site, browser):
    return make_teacher(site, browser)


@pytest.fixture
def address(teacher):
    return make_class(teacher)


def test_a_class_is_made_joined_assigned_and_its_shared_progress_is_seen(browser, course, teacher, address):
    pupil = browser().sign_up()
    code = code_of(teacher, address)
    asked = pupil.get(f"/classes/join?code={code}").text
    assert "Join Tuesday group" in asked
    assert "Ms Noether holds this class" in asked
    assert join(pupil, code).headers["location"] == "/classes?done=joined"
    assert assign(teacher, address, due="2099-12-05T23:59").status_code == 303
    assert "Saturday, 5 December 2099, 23:59" in pupil.get("/classes").text
    assert "Due in your classes" in pupil.get("/").text
    answer_questions(course, pupil, 2)
    page = teacher.get(address).text
    assert "Emmy" in page
    assert re.search(rf">2<small> of {size(course)}<", page)
    head, row = table(teacher, address)
    assert head[2].endswith(f"of {size(course)}, due 2099-12-05 23:59 UTC")
    assert row == ["Emmy", "yes", "2", "under way"]
    answer_questions(course, pupil, size(course))
    assert table(teacher, address)[1][3] == "done"
    assert "Due in your classes" not in pupil.get("/").text


def test_reviewed_cards_of_a_deck_count(browser, course, teacher, address):
    pupil = browser().sign_up()
    join(pupil, code_of(teacher, address))
    assign(teacher, address, f"deck {LESSON}")
    card = course.entry(LESSON).outline.cards[0]
    entry = {"id": str(uuid.uuid4()), "kind": "review", "card": str(card), "grade": "again"}
    pupil.send("/api/log", {"entries": [{**entry, "at": "2026-01-05T12:00:00Z"}]})
    assert table(teacher, address)[1] == ["Emmy", "yes", "1", "under way"]


@pytest.mark.parametrize("share", ["", "maybe"])
def test_nobody_joins_without_a_yes_or_no_to_sharing(browser, teacher, address, share):
    pupil = browser().sign_up()
    answer = join(pupil, code_of(teacher, address), share)
    assert answer.status_code == 400
    assert "Say whether you share your progress" in answer.text
    assert "Emmy" not in teacher.get(address).text


def test_without_consent_a_teacher_sees_the_name_alone(browser, course, teacher, address):
    pupil = browser().sign_up()
    join(pupil, code_of(teacher, address), "no")
    assign(teacher, address)
    answer_questions(course, pupil, 2)
    assert table(teacher, address)[1] == ["Emmy", "no", "", ""]
    assert "shares no progress" in teacher.get(address).text


def test_consent_that_is_withdrawn_takes_the_progress_away_at_once(browser, course, teacher, address):
    pupil = browser().sign_up()
    join(pupil, code_of(teacher, address))
    assign(teacher, address)
    answer_questions(course, pupil, 2)
    assert table(teacher, address)[1][2] == "2"
    assert "You share your progress" in pupil.get("/classes").text
    pupil.post(f"{address}/sharing", {"share": "no"})
    assert table(teacher, address)[1] == ["Emmy", "no", "", ""]
    assert "You share no progress" in pupil.get("/classes").text
    pupil.post(f"{address}/sharing", {"share": "yes"})
    assert table(teacher, address)[1][2] == "2"


def test_progress_outside_of_what_is_assigned_is_not_shared(browser, course, teacher, address):
    pupil = browser().sign_up()
    join(pupil, code_of(teacher, address))
    assign(teacher, address, "lesson backpropagation")
    answer_questions(course, pupil, 2)
    assert table(teacher, address)[1][2:] == ["0", "not begun"]


def test_members_leave(browser, teacher, address):
    pupil = browser().sign_up()
    join(pupil, code_of(teacher, address))
    assert pupil.post(f"{address}/leave").headers["location"] == "/classes?done=left"
    assert "Emmy" not in teacher.get(address).text
    assert pupil.post(f"{address}/leave").status_code == 404
    assert pupil.post(f"{address}/sharing", {"share": "yes"}).status_code == 404


def test_a_member_who_is_removed_needs_a_new_code_to_come_back(browser, teacher, address):
    pupil = browser().sign_up()
    code = code_of(teacher, address)
    join(pupil, code)
    member = re.search(rf"{address}/members/[0-9a-f-]+", teacher.get(address).text)[0]
    assert teacher.post(member).status_code == 303
    assert "Emmy" not in teacher.get(address).text
    assert join(pupil, code).status_code == 400
    teacher.post(f"{address}/code", {"days": "1", "action": "new"})
    assert join(pupil, code_of(teacher, address)).status_code == 303


def test_codes_rotate_expire_and_answer_alike_when_they_are_not_good(browser, teacher, address, clock):
    first = code_of(teacher, address)
    assert re.fullmatch(r"[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}", first)
    teacher.post(f"{address}/code", {"days": "1", "action": "new"})
    second = code_of(teacher, address)
    assert first != second
    pupil = browser().sign_up()
    said = [join(pupil, first), join(pupil, "AAAA-AAAA"), join(pupil, "")]
    clock.ahead = timedelta(days=1, minutes=1)
    said.append(join(pupil, second))
    assert {answer.status_code for answer in said} == {400}
    assert all("This code is not known, or is past its time." in answer.text for answer in said)
    assert code_of(teacher, address) == ""
    clock.ahead = timedelta()
    assert join(pupil, f"  {second.lower().replace('-', ' ')} ").status_code == 303
    teacher.post(f"{address}/code", {"action": "close"})
    assert code_of(teacher, address) == ""
    assert join(browser().sign_up(), second).status_code == 400


@pytest.mark.parametrize("days", ["0", "8", "99999", "x", ""])
def test_a_code_lasts_as_long_as_the_form_offers(teacher, address, days):
    before = code_of(teacher, address)
    answer = teacher.post(f"{address}/code", {"days": days, "action": "new"})
    assert answer.status_code == 400
    assert "A code is good for 1, 7, 30 days." in answer.text
    assert code_of(teacher, address) == before


def test_due_times_are_told_by_the_clock_of_class_and_learner(site, browser):
    teacher = make_teacher(site, browser, "America/New_York")
    address = make_class(teacher, "America/New_York")
    pupil = browser().sign_up(time_zone="Asia/Tokyo")
    join(pupil, code_of(teacher, address))
    # New York's clocks go back on 7 November 2027: 23:59 there is UTC-4 the day before, UTC-5 the day after.
    for due, expected in (
        ("2027-11-06T23:59", "Sunday, 7 November 2027, 12:59 your time"),
        ("2027-11-08T23:59", "Tuesday, 9 November 2027, 13:59 your time"),
    ):
        assign(teacher, address, due=due)
        text = pupil.get("/classes").text
        assert expected in text
        assert "23:59 in America/New_York" in text
    assert text.count("in America/New_York") == 1  # assigned again is assigned once, at a new time


def test_a_task_is_overdue_after_its_moment_and_not_before(browser, course, teacher, clock):
    address = make_class(teacher, "Asia/Tokyo")
    pupil = browser().sign_up()
    join(pupil, code_of(teacher, address))
    tokyo = datetime.now(UTC) + timedelta(hours=9)
    assign(teacher, address, due=f"{tokyo + timedelta(minutes=30):%Y-%m-%dT%H:%M}")
    assert table(teacher, address)[1][3] == "not begun"
    clock.ahead = timedelta(minutes=31)
    assert table(teacher, address)[1][3] == "overdue"
    assert "overdue" in pupil.get("/classes").text
    answer_questions(course, pupil, size(course))
    assert table(teacher, address)[1][3] == "done"


@pytest.mark.parametrize(
    ("target", "due", "says"),
    [
        ("lesson nowhere", "", "Choose a lesson or a deck from the list."),
        ("", "", "Choose a lesson or a deck"),
        (f"lesson {LESSON}", "tomorrow", "A due time is written like 2026-12-05T23:59"),
        (f"lesson {LESSON}", "2026-02-30T10:00", "A due time is written like"),
        (f"lesson {LESSON}", "9999-12-31T23:59", "A due time lies in the years"),
        (f"lesson {LESSON}", "0001-01-01T00:00", "A due time lies in the years"),
    ],
)
def test_what_cannot_be_assigned_is_said_in_a_line(teacher, address, target, due, says):
    answer = assign(teacher, address, target, due)
    assert answer.status_code == 400
    assert says in answer.text


def test_assignments_are_taken_back(browser, teacher, address):
    pupil = browser().sign_up()
    join(pupil, code_of(teacher, address))
    assign(teacher, address)
    found = re.search(rf"{address}/assignments/[0-9a-f-]+", teacher.get(address).text)[0]
    assert teacher.post(found).status_code == 303
    assert "Nothing is assigned yet." in pupil.get("/classes").text
    assert teacher.post(found).status_code == 404


def test_names_that_spreadsheets_would_compute_are_neutralised(browser, teacher, address):
    for name in ("=HYPERLINK(1)", "+1+1", "-1*A1", "@SUM(1)", "-1"):
        join(browser().sign_up(), code_of(teacher, address), name=name)
    names = [row[0] for row in table(teacher, address)[1:]]
    assert sorted(names) == sorted(["'=HYPERLINK(1)", "'+1+1", "'-1*A1", "'@SUM(1)", "-1"])


def test_the_name_made_of_an_address_is_not_shown_to_a_class_unasked(browser, teacher, address):
    pupil = browser().sign_up("lise.meitner@example.org")
    code = code_of(teacher, address)
    assert 'name="display_name" type="text" value=""' in pupil.get(f"/classes/join?code={code}").text
    assert join(pupil, code, name="").status_code == 400
    assert "meitner" not in teacher.get(address).text
    join(pupil, code, name="Lise")
    text = teacher.get(address).text
    assert "Lise" in text
    assert "meitner" not in text


def test_members_of_one_name_are_told_apart_and_learn_nothing_of_each_other(browser, teacher, address):
    code = code_of(teacher, address)
    twins, other = [browser().sign_up(), browser().sign_up()], browser().sign_up()
    for somebody, name in zip([*twins, other], ("Emmy", "emmy", "Lise")):
        join(somebody, code, name=name)
    *named_alike, alone = (row[0] for row in table(teacher, address)[1:])
    assert alone == "Lise"
    marks = {re.fullmatch(r"emmy \(([0-9a-f]{4})\)", name, re.IGNORECASE)[1] for name in named_alike}
    assert len(marks) == 2
    page = teacher.get(address).text
    assert all(f'<th scope="row">{name}</th>' in page for name in named_alike)
    assert not any(f"({mark})" in twin.get("/classes").text for mark in marks for twin in twins)
    twins[1].post(f"{address}/leave")
    assert [row[0] for row in table(teacher, address)[1:]] == ["Emmy", "Lise"]


def test_class_tools_need_a_membership_and_come_back_with_it(site, browser, teacher, address):
    free = browser().sign_up()
    refused = free.post("/classes", {"name": "Mine", "time_zone": "UTC"})
    assert refused.status_code == 403
    assert "Class tools are for Pro members." in refused.text
    assert '<a class="button" href="/membership">' in refused.text
    stranger = browser().post("/classes", {"name": "Mine", "time_zone": "UTC"})
    assert stranger.status_code == 401
    assert '<a class="button" href="/log-in">' in stranger.text
    commands = Administration(site.app.state.database, datetime.now(UTC))
    commands.revoke_pro(teacher.email)
    assert teacher.get(address).status_code == 403
    assert teacher.get(f"{address}/progress.csv").status_code == 403
    assert "Tuesday group" in teacher.get("/classes").text
    commands.grant_pro(teacher.email, datetime.now(UTC) + timedelta(days=3))
    assert teacher.get(address).status_code == 200


def test_a_class_ends_when_its_teacher_says_so_twice(browser, teacher, address):
    pupil = browser().sign_up()
    join(pupil, code_of(teacher, address))
    assert "What members learned stays theirs." in teacher.post(f"{address}/end").text
    assert "Tuesday group" in pupil.get("/classes").text
    assert teacher.post(f"{address}/end", {"sure": "yes"}).headers["location"] == "/classes?done=ended"
    assert "Tuesday group" not in pupil.get("/classes").text
    assert teacher.get(address).status_code == 404


def test_a_deleted_account_is_gone_from_classes_and_a_deleted_teachers_class_ends(
    site, browser, teacher, address
):
    pupil, other = browser().sign_up(), browser().sign_up()
    for number, somebody in enumerate((pupil, other)):
        join(somebody, code_of(teacher, address), name=f"Pupil {number}")
    assign(teacher, address)
    password = {"password": "correct horse battery staple"}
    assert pupil.post("/account/delete", password).status_code == 303
    assert [row[0] for row in table(teacher, address)[1:]] == ["Pupil 1"]
    assert teacher.post("/account/delete", password).status_code == 303
    assert "Tuesday group" not in other.get("/classes").text
    class_id = uuid.UUID(address.rpartition("/")[2])
    with site.app.state.database.reading() as session:
        assert session.get(SchoolClass, class_id) is None
        assert session.query(ClassMember).where(ClassMember.class_id == class_id).count() == 0


def test_the_export_names_classes_and_no_other_member(browser, teacher, address):
    pupil, other = browser().sign_up(), browser().sign_up()
    join(pupil, code_of(teacher, address))
    join(other, code_of(teacher, address), name="Somebody Else")
    row = pupil.get("/account/export.json").json()["classes"]["member_of"][0]
    assert (row["name"], row["teacher"], row["shares_progress"]) == ("Tuesday group", "Ms Noether", True)
    taught = teacher.get("/account/export.json")
    assert taught.json()["classes"]["teacher_of"][0]["members"] == 2
    assert "Somebody Else" not in pupil.get("/account/export.json").text + taught.text


def test_what_happens_to_classes_is_in_the_audit_log(site, browser, teacher, address):
    pupil = browser().sign_up()
    join(pupil, code_of(teacher, address))
    pupil.post(f"{address}/sharing", {"share": "no"})
    member = re.search(rf"{address}/members/[0-9a-f-]+", teacher.get(address).text)[0]
    teacher.post(member)
    teacher.post(f"{address}/end", {"sure": "yes"})
    with site.app.state.database.reading() as session:
        newest = session.scalars(sqlalchemy.select(AuditEntry.action).order_by(AuditEntry.id.desc()).limit(8))
        assert (
            list(newest)[::-1]
            == [
                *("make-class", "new-class-code", "sign-up", "join-class", "share-progress"),
                *("unshare-progress", "remove-member", "removed-from-class", "end-class"),
            ][1:]
        )


def test_a_teacher_does_not_join_the_own_class_and_nobody_joins_twice(browser, teacher, address):
    code = code_of(teacher, address)
    answer = join(teacher, code)
    assert answer.status_code == 400
    assert "You teach this class." in answer.text
    pupil = browser().sign_up()
    join(pupil, code, "no")
    assert (
        join(pupil, code, "yes").status_code == 303
    )  # a second try does not change what was said of sharing
    assert [row[:2] for row in table(teacher, address)[1:]] == [["Emmy", "no"]]


def test_codes_are_not_guessed_by_trying(browser):
    somebody = browser().sign_up()
    answers = [somebody.get(f"/classes/join?code=AAAA-{number:04}").status_code for number in range(31)]
    assert answers == [400] * 30 + [429]


@pytest.mark.slow
def test_thirty_pupils_behind_one_address_sign_up_log_in_and_join(browser, teacher, address):
    code = code_of(teacher, address)
    for number in range(30):
        pupil = browser("198.51.100.7").sign_up()
        assert pupil.post("/log-out").status_code == 303
        email, pupil.email = pupil.email, ""
        assert pupil.log_in(email, "a wrong password").status_code == 400
        assert pupil.log_in(email).status_code == 303
        assert pupil.get(f"/classes/join?code={code}").status_code == 200
        assert join(pupil, code, name=f"Pupil {number}").status_code == 303
    assert len(table(teacher, address)) == 31


@pytest.mark.parametrize("name", ["", " ", "x" * 81, "a\u202eb"])
def test_names_of_classes_are_short_and_printable(teacher, name):
    answer = teacher.post("/classes", {"name": name, "time_zone": "UTC"})
    assert answer.status_code == 400
    assert "The name of a class has 1 to 80 characters." in answer.text


def test_addresses_that_name_no_class_answer_plainly(teacher):
    assert teacher.get("/classes/nonsense").status_code == 400
    assert teacher.get(f"/classes/{uuid.uuid4()}").status_code == 404
    assert teacher.post(f"/classes/{uuid.uuid4()}/leave").status_code == 404


def lines_of(site, somebody):
    """Count the lines about somebody in the audit log."""
    with site.app.state.database.reading() as session:
        account = sqlalchemy.select(Account.id).where(Account.email == somebody.email).scalar_subquery()
        return session.query(AuditEntry).where(AuditEntry.account_id == account).count()


def test_nobody_makes_the_audit_log_grow_without_end_and_consent_is_withdrawn_at_any_time(
    site, browser, teacher, address, monkeypatch
):
    rules = site.app.state.tries._rules
    for rule in ("new class", "new class code", "sharing of progress", "new token"):
        monkeypatch.setitem(rules, rule, parse("2 per day"))
    pupil = browser().sign_up()
    join(pupil, code_of(teacher, address))
    sharing, closed = f"{address}/sharing", {"action": "close"}
    token = {"name": "library"}

    def answers(somebody, path, *values):
        return [somebody.post(path, value).status_code for value in values]

    shared, hidden = {"share": "yes"}, {"share": "no"}
    assert answers(pupil, sharing, *[hidden, shared] * 3, hidden) == [303, 303, 303, 303, 303, 429, 303]
    assert answers(pupil, "/account/tokens", *[token] * 3) == [200, 200, 429]
    code = {"days": "7"}
    assert answers(teacher, f"{address}/code", *[code, closed] * 3, closed) == [303] * 4 + [429] + [303] * 2
    before = lines_of(site, teacher), lines_of(site, pupil)
    answers(pupil, sharing, hidden, shared, hidden)
    answers(teacher, f"{address}/code", closed, code, closed)
    assert (lines_of(site, teacher), lines_of(site, pupil)) == before
    class_made = {"name": "Another", "time_zone": "UTC", "display_name": "Ms Noether"}
    assert answers(teacher, "/classes", class_made, class_made, class_made).count(429) >= 1
