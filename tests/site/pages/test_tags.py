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
    prompted = set(re.findall(r'href="/lessons/([a-z-]+)/prompts/([\w-]+)"', text))
    assert prompted == {
        (row.slug, ask.id) for row in course.lessons for ask in row.prompts if tag in ask.tags
    }
    named = set(re.findall(r'href="/glossary#([\w-]+)"', text))
    assert named == {term.anchor for term in course.terms if tag in term.tags}


def test_every_item_carries_a_tag_and_every_tag_is_carried(course):
    items = [item for row in course.lessons for item in (row, *row.cards, *row.questions, *row.prompts)]
    assert all(item.tags for item in (*items, *course.terms))
    assert {tag for item in items for tag in item.tags} == set(TAGS)


def test_a_deck_shows_the_cards_of_a_tag(site, course):
    lesson = course.lesson("gradient-descent")
    wanted = [str(card.uuid) for card in lesson.cards if "important" in card.tags]
    text = site.get("/cards/gradient-descent?tag=important").text
    assert re.findall(r'data-card="([^"]+)"', text) == wanted
    everything = site.get("/cards/gradient-descent?tag=nope").text
    assert len(re.findall(r'data-card="', everything)) == len(lesson.cards)


def test_an_unknown_tag_is_not_found(site):
    assert site.get("/tags/nope").status_code == 404
