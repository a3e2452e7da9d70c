"""What no link leads to, held against axe-core: refusals, answers of forms, pages behind mails, labs at work.

Each state is a function that brings a reader there. The last test of the file asks whether every template of
the site was on a page that axe-core saw, here or in `browser_pages.py`.
"""

import dataclasses
import re
import time
from datetime import UTC, datetime

import pytest
from site_visitors import PASSWORD
from sqlalchemy.exc import TimeoutError
from stripe_events import DAY, Subscription

from slopewise.site.accounts.secrets import digest
from slopewise.site.administration import Administration
from slopewise.site.content.course import Course
from slopewise.site.owner_pages import OwnerPage
from slopewise.site.storage.database import Database

STATES = {}
AWAY = "https://*.stripe.com/**"


def state(function):
    STATES[function.__name__.replace("_", " ")] = function
    return function


class World:
    """What states are made of: the site, others who visit it, and what a test changes for its time."""

    def __init__(self, served, browser, owner, monkeypatch, request):
        self.served, self.browser, self.owner = served, browser, owner
        self.monkeypatch = monkeypatch
        self.request = request  # for fixtures that few states need
        self.state = served.application.state

    def put(self, name, value):
        """Let the site have something else for the time of the test."""
        before = getattr(self.state, name)
        self.request.addfinalizer(lambda: setattr(self.state, name, before))
        setattr(self.state, name, value)

    def newcomer(self, reader):
        """Let a reader be somebody who has just signed up; return who that is."""
        somebody = self.browser().sign_up()
        reader.take_cookies(somebody)
        return somebody

    def teacher(self, reader):
        """Let a reader be the teacher of a class that nobody has joined, at its page."""
        somebody = self.newcomer(reader)
        until = datetime.now(UTC).replace(year=datetime.now(UTC).year + 1, day=1)
        Administration(self.state.database, datetime.now(UTC)).grant_pro(somebody.email, until)
        fields = {"name": "Monday", "time_zone": "UTC", "display_name": "Ms Lovelace"}
        place = somebody.post("/classes", fields).headers["location"]
        reader.open(place)
        return somebody


@pytest.fixture
def world(served, browser, owner, monkeypatch, request):
    return World(served, browser, owner, monkeypatch, request)


def heading(reader):
    return reader.page.inner_text("h1")


def log_in(reader, email):
    reader.open("/log-in")
    reader.page.fill("#email", email)
    reader.page.fill("#password", PASSWORD)
    reader.page.click("main button")


def see_alert(reader):
    reader.page.wait_for_selector("[role=alert]")


def walk_to_prediction(reader, slug):
    reader.open(f"/lessons/{slug}")
    reader.page.focus("[data-go=on]")
    reader.page.keyboard.press("End")
    reader.page.wait_for_selector(".prediction")


@state
def an_address_that_leads_nowhere(reader, world):
    assert reader.open("/nowhere").status == 404


@state
def a_step_that_does_not_exist(reader, world):
    assert reader.open("/lessons/gradient-descent?step=-1").status == 400


@state
def a_form_of_another_page(reader, world):
    reader.open("/log-in")
    reader.page.evaluate("document.querySelector('main [name=form_token]').value = 'of another page'")
    reader.page.fill("#email", "somebody@example.org")
    reader.page.fill("#password", PASSWORD)
    reader.page.click("main button")
    assert "This page was open too long" in heading(reader)


@state
def a_class_for_whom_is_no_teacher(reader, world):
    world.newcomer(reader)
    answer = reader.open(f"/classes/{world.owner.get('/classes').text.partition('/classes/')[2][:36]}")
    assert answer.status in (403, 404)


@state
def too_many_tries(reader, world):
    somebody, email = world.browser(), "nobody@example.org"
    while somebody.log_in(email, "a wrong password").status_code == 400:
        pass
    log_in(reader, email)
    assert "too often" in heading(reader)


@state
def a_log_in_that_is_refused(reader, world):
    log_in(reader, "nobody.at.all@example.org")
    see_alert(reader)


def ask_for_link(reader, purpose, email):
    before = len(reader.served.mailbox.to(email))
    reader.open(f"/{purpose}")
    reader.page.fill("#email", email)
    reader.page.click("main button")
    assert heading(reader) == "Look into your mail"
    return reader.served.mailbox.link(email, before)


@state
def a_link_on_its_way_to_sign_up(reader, world):
    ask_for_link(reader, "sign-up", "new.here@example.org")


@state
def a_link_on_its_way_to_a_new_password(reader, world):
    ask_for_link(reader, "reset", world.browser().sign_up().email)


@state
def a_first_password_that_is_refused(reader, world):
    reader.open(ask_for_link(reader, "sign-up", "another.new@example.org"))
    reader.page.fill("#password", "password12345")
    reader.page.click("main button")
    see_alert(reader)


@state
def a_new_password(reader, world):
    reader.open(ask_for_link(reader, "reset", world.browser().sign_up().email))
    assert heading(reader) == "Choose a password"


@state
def a_link_that_is_spent(reader, world):
    assert reader.open("/reset/spent").status == 410


@state
def a_new_address_to_confirm(reader, world):
    somebody, new = world.browser().sign_up(), "brand.new@example.org"
    assert somebody.post("/account/email", {"email": new, "password": PASSWORD}).status_code == 303
    reader.open(world.served.mailbox.link(new))
    assert heading(reader) == "Confirm your address"


@state
def a_new_account(reader, world):
    reader.sign_up()
    assert "Your account is ready." in reader.page.inner_text("main")


@state
def an_account_with_a_new_token(reader, world):
    world.newcomer(reader)
    reader.open("/account")
    reader.page.fill("#token-name", "laptop")
    reader.page.click("text=Make a token")
    reader.page.wait_for_selector("#new-token")


@state
def a_setting_that_is_refused(reader, world):
    world.newcomer(reader)
    reader.open("/account")
    reader.page.evaluate("document.querySelector('#rollover_hour').type = 'text'")
    reader.page.fill("#rollover_hour", "noon")
    reader.page.click("main form >> nth=0 >> button")
    see_alert(reader)


@state
def a_deletion_that_is_refused(reader, world):
    world.newcomer(reader)
    reader.open("/account/delete")
    reader.page.fill("#password", "not the password")
    reader.page.click("text=Delete everything")
    see_alert(reader)


@state
def cards_of_the_day_with_the_answer_shown(reader, world):
    world.newcomer(reader)
    reader.open_review()
    reader.page.keyboard.press("Space")
    assert reader.page.is_visible(".card .grades")


@state
def no_card_left_for_today(reader, world):
    somebody = world.newcomer(reader)
    fields = {"display_name": "E", "time_zone": "UTC", "rollover_hour": "4", "new_per_day": "0"}
    assert somebody.post("/account/settings", fields).status_code == 303
    reader.open("/review")
    assert "Done for now." in reader.page.inner_text("main")


@state
def a_deck_with_a_card_graded(reader, world):
    reader.open("/cards/backpropagation")
    reader.page.keyboard.press("Space")
    reader.page.keyboard.press("1")
    reader.page.keyboard.press("Space")


@state
def a_deck_that_is_locked(reader, world):
    reader.open("/membership")
    reader.page.click("main .decks a >> nth=0")
    assert "Premium flash cards are for paid Pro members." in reader.page.inner_text("main")


@state
def an_own_card_that_is_refused(reader, world):
    world.newcomer(reader)
    reader.open("/cards/own")
    reader.page.fill("#front-new", " ")
    reader.page.fill("#back-new", " ")
    reader.page.click("text=Add the card")
    see_alert(reader)


@state
def a_database_that_does_not_answer(reader, world):
    def wait_in_vain(database):
        raise TimeoutError("others write for too long")

    world.newcomer(reader)
    reader.open("/cards/own")
    reader.watch.expected.append("status of 503")
    world.monkeypatch.setattr(Database, "_turn", wait_in_vain)
    reader.page.fill("#front-new", "What is a gradient?")
    reader.page.fill("#back-new", "A vector.")
    reader.page.click("text=Add the card")
    reader.page.wait_for_selector("text=The site is busy at the moment.")


@state
def a_lab_that_has_not_run(reader, world):
    reader.open(f"/lessons/gradient-descent?lr=0.4{reader.page.viewport_size['width']}")
    reader.page.wait_for_selector("[data-go=run]")


@state
def a_lab_that_asks_and_is_not_answered(reader, world):
    walk_to_prediction(reader, "gradient-descent")
    reader.page.click("[data-go=commit]")
    assert "Choose one" in reader.page.inner_text(".problem")


@state
def a_lab_after_a_prediction(reader, world):
    walk_to_prediction(reader, "backpropagation")
    reader.page.check(".prediction input >> nth=0")
    reader.page.click("[data-go=commit]")
    reader.page.wait_for_selector(".verdict")


@state
def questions_answered_right_and_wrong(reader, world):
    reader.open("/lessons/batches")
    for place in range(2):
        question = reader.page.locator("[data-question]").nth(place)
        question.locator("input").nth(place).check()
        question.locator("summary").first.click()
    reader.page.wait_for_function(
        "() => document.querySelectorAll('.question.right, .question.wrong').length > 1"
    )


@state
def two_sentences_compared(reader, world):
    somebody = world.newcomer(reader)
    text = somebody.get("/lessons/gradient-descent").text
    reader.open(re.search("/lessons/gradient-descent/prompts/[a-z-]+", text)[0])
    reader.page.fill("main textarea", "It takes steps against the gradient. So the loss falls.")
    reader.page.click("main form button")
    reader.page.wait_for_selector("main input[type=checkbox]")


@state
def a_placement_result_with_no_answer(reader, world):
    reader.open("/placement?end=1")
    assert "No question was answered." in reader.page.inner_text("main")


@state
def a_placement_result(reader, world):
    reader.open("/placement")
    for _ in range(20):
        if reader.page.locator("[data-placement]").count():
            break
        reader.page.check(".question input >> nth=0")
        reader.page.click("text=Next")
    assert reader.page.locator(".answered li").count() > 1
    assert reader.page.is_visible(".next-step")


@state
def progress_without_an_account(reader, world):
    reader.open("/cards/gradient-descent")
    reader.page.keyboard.press("Space")
    reader.page.keyboard.press("3")
    reader.open("/progress")
    reader.page.wait_for_selector("[data-overview] table, [data-overview] meter, [data-overview] progress")


@state
def a_search_that_finds_nothing(reader, world):
    reader.open("/search?q=zzzzzz")


@state
def a_code_that_is_refused(reader, world):
    world.newcomer(reader)
    reader.open("/membership")
    reader.page.fill("#code", "AAAAA-BBBBB-CCCCC-DDDDD-EEEEE")
    reader.page.click("text=Redeem >> nth=-1")
    see_alert(reader)


@state
def a_class_that_nobody_has_joined(reader, world):
    world.teacher(reader)
    assert "Nobody has joined yet." in reader.page.inner_text("main")


@state
def a_class_about_to_end(reader, world):
    world.teacher(reader)
    reader.page.click("text=End the class")
    assert heading(reader) == "End Monday"


@state
def a_class_to_join_and_what_is_due_in_it(reader, world):
    teacher = world.teacher(reader)
    code = reader.page.inner_text(".big-code")
    place = reader.page.url.removeprefix(world.served.address).partition("?")[0]
    assert teacher.post(f"{place}/assignments", {"target": "lesson batches", "due": ""}).status_code == 303
    reader.page.context.clear_cookies()
    somebody = world.newcomer(reader)
    reader.open(f"/classes/join?code={code}")
    assert heading(reader) == "Join Monday"
    yield
    fields = {"code": code, "display_name": "Emmy", "share": "yes"}
    assert somebody.post("/classes/join", fields).status_code == 303
    reader.open("/classes")
    assert reader.page.locator(".due li").count() == 1


@state
def a_class_code_that_is_unknown(reader, world):
    world.newcomer(reader)
    reader.open("/classes/join?code=ZZZZ-9999")
    see_alert(reader)


@state
def a_table_that_cannot_be_read(reader, world):
    reader.open("/data")
    reader.page.fill("#text", "only one line")
    reader.page.click("text=Read the table")
    see_alert(reader)


@state
def a_report(reader, world):
    """Reports are shown in a frame of no origin, where axe-core cannot run; here it is a page of its own."""
    reader.take_cookies(world.owner)
    text = reader.page.request.get(f"{world.served.address}{world.owner.only_told[0]}/report").text()
    reader.page.goto("about:blank")
    reader.page.set_content(text)
    assert reader.page.locator("figure svg").count() >= 1


@state
def a_playground_after_a_training_with_the_test_set_opened(reader, world):
    reader.open("/playground?data=blobs")
    reader.page.wait_for_function("() => document.querySelector('.diagram [data-neuron]')")
    reader.page.check("[data-skip]")
    reader.page.click("[data-go=on]")
    reader.page.wait_for_function("() => document.querySelector('.place').textContent.includes('update 1')")
    reader.page.click("[data-open-test]")
    reader.page.wait_for_selector(".openings")


@state
def codes_that_are_shown_once(reader, world):
    reader.take_cookies(world.owner)
    reader.open("/owner")
    reader.page.click("text=Make codes")
    reader.page.wait_for_selector(".codes")


@state
def an_act_of_the_owner_that_is_refused(reader, world):
    reader.take_cookies(world.owner)
    reader.open("/owner")
    reader.page.fill("#expires", "2001-01-01")
    reader.page.click("text=Make codes")
    see_alert(reader)


@state
def the_first_owner(reader, world):
    world.monkeypatch.setattr("slopewise.site.pages.owner.has_owner", lambda _: False)
    world.put("first_owner_digest", digest("of-the-console"))
    reader.open("/owner/first/of-the-console")
    assert heading(reader) == "This site is yours"


@state
def a_page_of_the_owners_words(reader, world):
    page = OwnerPage("privacy", "Privacy", "<h2>What is kept</h2><p>Your address, and what you answer.</p>")
    world.put("owner_pages", {"privacy": page})
    reader.open("/about/privacy")
    assert "What is kept" in reader.page.inner_text("main")


@state
def a_lesson_that_is_planned(reader, world):
    found = Course.entry
    world.monkeypatch.setattr(
        Course, "entry", lambda course, slug: dataclasses.replace(found(course, slug), outline=None)
    )
    assert reader.open("/lessons/batches").status == 200


@state
def the_way_to_stripe_and_a_subscription(reader, world):
    stripe = world.request.getfixturevalue("stripe")
    world.newcomer(reader)
    reader.page.route(AWAY, lambda route: route.abort("aborted"))  # so the page that leads there stays
    reader.watch.expected.append("ERR_ABORTED")
    reader.open("/membership")
    reader.page.click("main button:text-is('Become a member')")
    reader.page.wait_for_selector("text=Continue to Stripe")
    yield
    _, customer, learner, *_ = stripe.asked[-1]
    one = Subscription(customer, int(time.time()) - DAY, learner)
    world.served.hear_from_stripe(one.created(), one.updated("past_due", one.start), one.linked())
    reader.open("/membership")
    assert "Your last payment failed." in reader.page.inner_text("main")
    reader.watch.away.clear()


@pytest.mark.parametrize("name", STATES)
def test_a_page_is_accessible_in_this_state(new_reader, look, world, name):
    reader = new_reader()
    reader.watch.expected = ["status of 4"]
    wrong = []
    for _ in STATES[name](reader, world) or ():  # one that goes on to another yields between them
        wrong += look(reader)
    assert wrong + look(reader) == []


def test_every_template_was_on_a_page_that_axe_saw(served, seen, request):
    if "browser_pages.py" not in {item.path.name for item in request.session.items}:
        pytest.skip("browser_pages.py looks at the others")
    assert served.templates - seen == set()
