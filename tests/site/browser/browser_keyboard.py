"""The way of a learner by the keyboard alone: no test here clicks or fills anything."""

import pytest
from site_visitors import PASSWORD

MOST_TABS = 90
PUBLIC = (
    "/",
    "/lessons/backpropagation",
    "/cards/backpropagation",
    "/playground",
    "/data",
    "/data/draw",
    "/map",
    "/placement",
    "/log-in",
)
OWN = ("/account", "/review", "/cards/own", "/progress", "/classes", "/owner", "/owner/audit", "/membership")
# Where the focus is, and whether one sees that it is there.
FOCUS = """() => {
  const here = document.activeElement, style = getComputedStyle(here), box = here.getBoundingClientRect();
  const name = here.outerHTML.slice(0, 140).replace(/\\s+/g, " ");
  const place = [...document.querySelectorAll("*")].indexOf(here);
  const isDown = box.bottom > 0 && box.top < innerHeight, isAcross = box.right > 0 && box.left < innerWidth;
  const hasParts = here.type?.startsWith("date"); // which the browser marks one by one
  const isMarked = hasParts || (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1);
  return { name, place, isBody: here === document.body, isInView: isDown && isAcross, isMarked };
}"""


def test_a_question_is_answered_and_a_lab_scrubbed_by_keyboard(reader, page):
    reader.open("/lessons/gradient-descent")
    page.keyboard.press("Tab")
    assert page.inner_text(":focus") == "Skip to the content"
    page.keyboard.press("Enter")
    reader.tab_to("[data-skip]")
    page.keyboard.press("Space")
    page.keyboard.press("Shift+Tab")
    reader.tab_to(".scrub")
    for step in (1, 2):
        page.keyboard.press("ArrowRight")
        page.wait_for_function(
            "step => new URL(location.href).searchParams.get('step') == step", arg=str(step)
        )
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("() => new URL(location.href).searchParams.get('step') == 1")
    reader.tab_to("[data-question] input")
    page.keyboard.press("Space")
    reader.tab_to("[data-question] summary")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('[data-verdict]').textContent")
    assert reader.fits()
    first = page.inner_text("[data-verdict] >> nth=0")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowDown")  # with the answer in sight: the verdict changes, what is kept does not
    page.wait_for_function(
        "first => document.querySelector('[data-verdict]').textContent != first", arg=first
    )
    kept = page.evaluate("JSON.parse(localStorage['slopewise.answers'])")
    assert kept == {"gradient-descent/points-uphill": 0}


def test_from_sign_up_to_deletion_by_keyboard(reader, page):
    email = f"keys{id(reader)}@example.org"
    reader.open("/sign-up")
    reader.type_into("#email", email)
    reader.press("Send the link")
    reader.open(reader.served.mailbox.link(email))
    reader.tab_to("#password")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/account*")
    assert reader.exported()["account"]["email"] == email
    reader.open("/account/delete")
    reader.tab_to("main input[type=password]")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{reader.served.address}/")
    reader.watch.expected = ["401", "status of 4"]
    assert reader.page.request.get(f"{reader.served.address}/account", max_redirects=0).status == 303
    assert page.evaluate("Object.keys(localStorage)") == []


@pytest.mark.parametrize("path", [*PUBLIC, *OWN])
def test_the_focus_is_seen_wherever_the_tab_key_leads_and_goes_in_order(reader, page, owner, path):
    if path in OWN:
        reader.take_cookies(owner)
    page.emulate_media(reduced_motion="reduce")  # or the page would still scroll when it is asked
    reader.open(path)
    page.wait_for_timeout(200)
    page.keyboard.press("Tab")
    assert page.inner_text(":focus") == "Skip to the content"
    places, wrong = [], []
    for _ in range(MOST_TABS):
        found = page.evaluate(FOCUS)
        if found["isBody"]:
            break
        wrong += [] if found["isInView"] else [f"out of view: {found['name']}"]
        wrong += [] if found["isMarked"] else [f"not marked: {found['name']}"]
        places.append(found["place"])
        page.keyboard.press("Tab")
    assert wrong == []
    assert places == sorted(places), "the Tab key leads back and forth"
    assert len(places) > 8


def test_the_skip_link_leads_past_the_head_of_the_page(reader, page):
    reader.open("/glossary")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")
