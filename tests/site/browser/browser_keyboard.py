"""The way of a learner by the keyboard alone: no test here clicks or fills anything."""

from site_visitors import PASSWORD


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
