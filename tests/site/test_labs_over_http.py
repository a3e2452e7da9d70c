"""Labs over HTTP: every lab, stepped forward and back, with good and bad settings."""

import time

import pytest

from slopewise.site.content.lesson import LESSONS

SLUGS = [folder.name[4:].replace("_", "-") for folder in sorted(LESSONS.glob("n[0-9][0-9]_*"))]


def frame(site, slug, **query):
    answer = site.get(f"/labs/{slug}/frame", params=query, headers={"accept": "application/json"})
    return answer.status_code, answer.json()


@pytest.mark.parametrize("slug", SLUGS)
def test_a_lab_steps_to_its_end_and_back_to_the_same_frames(site, slug):
    _, first = frame(site, slug)
    forward = [frame(site, slug, step=step)[1] for step in range(first["steps"])]
    backward = [frame(site, slug, step=step)[1] for step in reversed(range(first["steps"]))]
    assert forward == backward[::-1]
    assert [made["step"] for made in forward] == list(range(first["steps"]))
    assert len({made["html"] for made in forward}) == len(forward)


@pytest.mark.parametrize("slug", SLUGS)
def test_a_lab_asks_for_a_prediction_and_answers_it_at_the_next_step(site, slug):
    _, first = frame(site, slug)
    assert first["gates"]
    gate = first["gates"][0]
    assert "Predict first" in frame(site, slug, step=gate)[1]["html"]
    answers = [frame(site, slug, step=gate + 1, guess=guess)[1]["html"] for guess in range(2)]
    assert sum("You were right." in html for html in answers) <= 1
    assert any("It went otherwise." in html for html in answers)
    assert "What happened:" in frame(site, slug, step=gate + 1)[1]["html"]


@pytest.mark.parametrize("slug", SLUGS)
def test_a_lab_says_in_words_and_in_a_table_what_it_shows(site, slug):
    _, made = frame(site, slug, step=2)
    assert 'class="words"' in made["html"]
    assert "<table>" in made["html"]


@pytest.mark.parametrize("slug", SLUGS)
def test_a_page_holds_the_lab_at_the_step_of_its_address_without_script(site, slug):
    _, made = frame(site, slug, step=3)
    text = site.get(made["address"]).text
    assert f'<h3 tabindex="-1">{made["title"]}</h3>' in text
    assert 'data-step="3"' in text


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("query", [{"step": "-1"}, {"step": "x"}, {"guess": "1e9"}])
def test_a_bad_step_is_refused_in_one_sentence(site, slug, query):
    status, answer = frame(site, slug, **query)
    assert status == 400
    assert next(iter(query)) in answer["error"]
    assert site.get(f"/lessons/{slug}", params=query).status_code == 400


@pytest.mark.parametrize("slug", SLUGS)
def test_every_setting_refuses_what_it_does_not_know(site, course, slug):
    for setting in course.lesson(slug).lab.settings:
        status, answer = frame(site, slug, **{setting.name: "\x07" * 500})
        assert status == 400
        assert setting.name in answer["error"]


@pytest.mark.parametrize("slug", SLUGS)
def test_a_step_beyond_the_end_is_the_last(site, slug):
    _, made = frame(site, slug, step=99999)
    assert made["step"] == made["steps"] - 1


@pytest.mark.parametrize("slug", SLUGS)
def test_a_step_answers_within_150_milliseconds_at_the_95th_percentile(site, slug):
    _, first = frame(site, slug)
    seconds = []
    for step in range(40):
        began = time.perf_counter()
        frame(site, slug, step=step % first["steps"])
        seconds.append(time.perf_counter() - began)
    assert sorted(seconds)[37] < 0.150
