"""Every page of the site in Chromium: axe-core finds nothing serious, nothing sticks out, nothing leaves."""

import pytest

from slopewise.site.content import load_course

SLUGS = [entry.slug for entry in load_course().entries]


def look_at(reader, path, violations):
    """Return what is wrong with a page in both colour schemes, wide and on a phone, a line each."""
    page = reader.page
    wrong = []
    answer = reader.open(path)
    if answer.status != 200:
        return [f"{path}: status {answer.status}"]
    page.wait_for_load_state("networkidle")
    for width, scheme in ((1280, "light"), (1280, "dark"), (375, "dark"), (375, "light")):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        if not reader.fits():
            wrong.append(f"{path}: sticks out at {width} px")
        if (width, scheme) != (375, "light"):  # pairwise
            wrong += [f"{path} {width} {scheme}: {line}" for line in violations(page)]
    return wrong


@pytest.mark.parametrize("slug", SLUGS)
def test_a_lesson_is_accessible_in_both_colour_schemes(new_reader, violations, slug):
    reader = new_reader()
    assert look_at(reader, f"/lessons/{slug}", violations) == []
