"""The placement test over HTTP: without script, cookie and account; kept in an account on request."""

import html
import re

import pytest

MOST = 12


def form_of(text):
    """Return what the form of a page would send, its choices apart, and the choices."""
    sent = re.findall(r'type="hidden" name="a" value="([^"]+)"', text)
    choices = re.findall(r'type="radio" name="a" value="([^"]+)"', text)
    return sent, choices


def take(site, pick):
    """Take the whole test by its forms, and return the last page and the answers."""
    sent = []
    for _ in range(MOST + 1):
        text = site.get("/placement", params={"a": sent}).text
        found, choices = form_of(text)
        if not choices:
            return text, sent
        assert found == sent
        sent = [*sent, pick(site, choices)]
    raise AssertionError("the test does not end")


def right(site, choices):
    """Return the choice that the lesson says is right, as it stands among those on the page."""
    item = choices[0].rpartition(":")[0]
    slug, _, name = item.partition("/")
    question = next(row for row in site.app.state.course.lesson(slug).questions if row.id == name)
    return f"{item}:{question.answer}"


def unknown(site, choices):
    return next(choice for choice in choices if choice.endswith(":-1"))


def why(text):
    return html.unescape(re.search(r'<p class="why">(.*?)</p>', text, re.DOTALL)[1])


def test_who_knows_nothing_is_sent_to_a_ground_and_told_why(site):
    text, sent = take(site, unknown)
    assert len(sent) <= MOST
    assert f"0 of {len(sent)} answers were right" in text
    assert re.search(r"You missed a question on “[^”]+”.*, which .* rests on", why(text))
    assert 'href="/lessons/training"' in text


def test_who_knows_all_is_sent_further_on(site, course):
    text, sent = take(site, right)
    assert f"{len(sent)} of {len(sent)} answers were right" in text
    slug = re.search(r'class="title"><a href="/lessons/([^"]+)"', text)[1]
    assert course.entry(slug).number > 5
    assert why(text).startswith("You have shown that you are good at")


def test_nothing_is_set_or_kept(site):
    answer = site.get("/placement", params={"a": "gradient-descent/one-update:0"})
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers


def test_one_may_end_early(site):
    _, sent = take(site, right)
    text = site.get("/placement", params={"a": sent[:6]}).text
    assert "That is enough" in text
    assert "of 6 answers were right" in site.get("/placement", params={"a": sent[:6], "end": "1"}).text
    assert "No question was answered" in site.get("/placement", params={"end": "1"}).text


@pytest.mark.parametrize("text", ["x", "gradient-descent/one-update:7", "nope/nope:0", "a" * 3000, "\x00:1"])
def test_an_address_that_makes_no_sense_is_refused_in_one_sentence(site, text):
    answer = site.get("/placement", params={"a": text}, headers={"accept": "application/json"})
    assert answer.status_code == 400
    assert "is no answer to a question of this course" in answer.json()["error"]


def test_an_account_keeps_the_answers_on_request(site, browser):
    _, sent = take(site, right)
    somebody = browser().sign_up()
    page = somebody.get("/placement", params={"a": sent})
    assert "Keep these answers" in page.text
    answer = somebody.post("/placement", {"answers": " ".join(sent)})
    assert answer.status_code == 303
    kept = {
        row["item"]: row["value"]
        for row in somebody.get("/api/progress").json()["items"]
        if row["kind"] == "answer"
    }
    assert kept == {text.rpartition(":")[0]: int(text.rpartition(":")[2]) for text in sent}
    assert somebody.post("/placement", {"answers": "x:1"}).status_code == 400
    assert browser().post("/placement", {"answers": " ".join(sent)}).status_code == 401
