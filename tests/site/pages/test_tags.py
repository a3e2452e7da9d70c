"""Cards and questions by tag."""

import re

import pytest

from slopewise.site.content.lesson import TAGS


@pytest.mark.parametrize("tag", TAGS)
def test_a_tag_leads_to_all_that_carries_it_and_to_nothing_else(site, course, tag):
    text = site.get(f"/tags/{tag}").text
    found = set(re.findall(rf'href="/cards/([a-z-]+)\?tag={tag}#([\w-]+)"', text))
    assert found == {(row.slug, card.id) for row in course.lessons for card in row.cards if tag in card.tags}
    asked = set(re.findall(r'href="/lessons/([a-z-]+)#question-([\w-]+)"', text))
    assert asked == {(row.slug, ask.id) for row in course.lessons for ask in row.questions if tag in ask.tags}


def test_a_deck_shows_the_cards_of_a_tag(site, course):
    lesson = course.lesson("gradient-descent")
    wanted = [str(card.uuid) for card in lesson.cards if "important" in card.tags]
    text = site.get("/cards/gradient-descent?tag=important").text
    assert re.findall(r'data-card="([^"]+)"', text) == wanted
    everything = site.get("/cards/gradient-descent?tag=nope").text
    assert len(re.findall(r'data-card="', everything)) == len(lesson.cards)


def test_an_unknown_tag_is_not_found(site):
    assert site.get("/tags/nope").status_code == 404
