"""Two-sentence prompts with script: hints mark ideas, and the learner has the last word."""

ANSWER = "Gradient descent lowers a loss. It takes steps against the gradient, scaled by the learning rate."


def test_what_a_learner_ticks_is_the_verdict_and_no_hint_undoes_it(reader, page):
    reader.open("/lessons/gradient-descent")
    prompt = page.locator("[data-prompt]").first
    prompt.locator("textarea").fill(ANSWER)
    prompt.locator("summary").click()
    page.wait_for_function("() => document.querySelector('[data-prompt] .hint').textContent")
    hinted = [box.is_checked() for box in prompt.locator(".ideas input").all()]
    assert page.evaluate("localStorage['slopewise.prompts'] ?? null") is None  # a hint is no verdict
    first = prompt.locator(".ideas input").first
    first.set_checked(not hinted[0])
    wanted = [not hinted[0], *hinted[1:]]
    prompt.locator("summary").click()
    prompt.locator("summary").click()  # opened again, it hints again
    page.wait_for_timeout(500)
    assert [box.is_checked() for box in prompt.locator(".ideas input").all()] == wanted
    page.reload()
    prompt.locator("summary").click()
    page.wait_for_timeout(500)
    assert [box.is_checked() for box in prompt.locator(".ideas input").all()] == wanted
