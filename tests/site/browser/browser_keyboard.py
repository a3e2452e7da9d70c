"""The way of a learner by the keyboard alone: no test here clicks or fills anything."""

from site_visitors import PASSWORD


def tab_to(page, selector, most=120):
    """Press Tab until what has the focus fits a selector."""
    for _ in range(most):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the Tab key does not reach {selector} on {page.url}")


def test_a_question_is_answered_and_a_lab_scrubbed_by_keyboard(reader, page):
    reader.open("/lessons/gradient-descent")
    page.keyboard.press("Tab")
    assert page.inner_text(":focus") == "Skip to the content"
    page.keyboard.press("Enter")
    tab_to(page, "[data-skip]")
    page.keyboard.press("Space")
    page.keyboard.press("Shift+Tab")
    tab_to(page, ".scrub")
    for step in (1, 2):
        page.keyboard.press("ArrowRight")
        page.wait_for_function(
            "step => new URL(location.href).searchParams.get('step') == step", arg=str(step)
        )
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("() => new URL(location.href).searchParams.get('step') == 1")
    tab_to(page, "[data-question] input")
    page.keyboard.press("Space")
    tab_to(page, "[data-question] summary")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('[data-verdict]').textContent")
    assert reader.fits()


def test_from_sign_up_to_deletion_by_keyboard(reader, page):
    email = f"keys{id(reader)}@example.org"
    reader.open("/sign-up")
    tab_to(page, "#email")
    page.keyboard.type(email)
    page.keyboard.press("Enter")
    page.wait_for_load_state()
    reader.open(reader.served.mailbox.link(email))
    tab_to(page, "#password")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/account*")
    assert reader.exported()["account"]["email"] == email
    reader.open("/account/delete")
    tab_to(page, "main input[type=password]")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{reader.served.address}/")
    reader.watch.expected = ["401", "status of 4"]
    assert reader.page.request.get(f"{reader.served.address}/account", max_redirects=0).status == 303
    assert page.evaluate("Object.keys(localStorage)") == []
