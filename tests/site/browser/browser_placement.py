"""The placement test by the keyboard alone, to what comes next and why."""

MOST = 12


def take(reader, pick):
    """Answer until the test ends: `pick` presses keys at the first of the choices."""
    page = reader.page
    for number in range(1, MOST + 2):
        if page.locator("[data-placement]").count():
            return number - 1
        assert page.inner_text("#count").startswith(f"Question {number} ")
        assert reader.fits()
        reader.tab_to(".question input")
        pick(page)
        reader.press("Next")
    raise AssertionError("the test does not end")


def know_nothing(page):
    page.keyboard.press("ArrowUp")  # round to the last choice: I do not know


def choose_the_first(page):
    page.keyboard.press("Space")


def answers(page):
    return page.evaluate("JSON.parse(localStorage['slopewise.answers'] ?? '{}')")


def test_who_knows_nothing_is_told_where_to_begin_and_why(reader, page, new_reader):
    reader.open("/")
    reader.press("Find where to begin", "a")
    assert "this browser keeps them" in page.inner_text("main")
    count = take(reader, know_nothing)
    assert page.inner_text(".lead") == f"0 of {count} answers were right."
    why, address = page.inner_text(".why"), page.get_attribute(".next-step .title a", "href")
    assert "You missed a question on" in why
    assert page.is_visible("[data-kept]")
    assert reader.fits()
    assert set(answers(page).values()) == {-1}
    assert len(answers(page)) == count
    reader.open("/")
    page.wait_for_selector("[data-next] .next-step")
    assert page.get_attribute("[data-next] .title a", "href") == address
    assert page.inner_text("[data-next] .why").startswith("You missed a question")


def test_a_link_to_a_result_shows_it_and_changes_nothing_of_who_opens_it(reader, page, new_reader):
    reader.open("/placement")
    take(reader, choose_the_first)
    other = new_reader()
    other.page.goto(page.url)
    assert other.page.inner_text(".lead") == page.inner_text(".lead")
    assert other.page.is_hidden("[data-kept]")
    assert answers(other.page) == {}


def test_the_answers_of_a_learner_belong_to_the_account_and_choose_what_comes_next(reader, page):
    reader.sign_up()
    reader.open("/placement")
    assert "your account keeps them" in page.inner_text("main")
    with page.expect_response(
        lambda answer: answer.url.endswith("/api/progress") and answer.request.method == "POST"
    ):
        count = take(reader, know_nothing)
    kept = [row for row in reader.exported()["progress"] if row["kind"] == "answer"]
    assert len(kept) == count
    address = page.get_attribute(".next-step .title a", "href")
    reader.open("/account")
    assert page.get_attribute(".next-step .title a", "href") == address
    assert "You missed a question on" in page.inner_text(".next-step .why")


def test_the_test_may_be_ended_early_and_a_question_taken_back(reader, page):
    reader.open("/placement")
    reader.tab_to(".question input")
    know_nothing(page)
    reader.press("Next")
    reader.press("Back", "a")
    assert page.inner_text("#count").startswith("Question 1 ")
    while not page.get_by_role("button", name="That is enough").count():
        reader.tab_to(".question input")
        know_nothing(page)
        reader.press("Next")
    reader.press("That is enough")
    assert "answers were right" in page.inner_text(".lead")
