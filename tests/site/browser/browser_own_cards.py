"""Cards of one's own, by the keyboard alone: written, changed, repeated, laid to rest, woken, deleted."""


def graded(reader):
    return [review["grade"] for review in reader.exported()["reviews"]]


def test_an_own_card_is_written_changed_reviewed_taken_back_and_deleted(reader, page):
    reader.sign_up()
    reader.open("/cards/own")
    reader.type_into("#front-new", "What is a batch?")
    reader.type_into("#back-new", "Some rows.")
    reader.press("Add the card")
    assert page.inner_text("h2 >> nth=0") == "1 card"
    reader.tab_to("main summary")
    page.keyboard.press("Enter")
    reader.type_into(".decks textarea[name=front]", "What is an epoch?")
    reader.press("Keep")
    assert page.inner_text(".decks .plain") == "What is an epoch?"
    assert reader.fits()
    reader.open_review("own")
    assert page.inner_text(".card .front") == "What is an epoch?"
    page.keyboard.press("Space")
    page.keyboard.press("4")
    page.wait_for_selector(".done")
    assert graded(reader) == ["easy"]
    reader.tab_to("button", "Undo the last grade")
    page.keyboard.press("Enter")
    page.wait_for_selector(".card .front")
    assert [event["kind"] for event in reader.exported()["events"]] == ["undo"]
    reader.open("/cards/own")
    reader.tab_to("main summary")
    page.keyboard.press("Enter")
    reader.press("Delete")
    assert page.locator("main .decks").count() == 0


def test_a_card_is_laid_to_rest_and_woken(reader, page):
    reader.sign_up()
    reader.open_review()
    first = page.get_attribute("[data-place] [data-card]", "data-card")
    reader.tab_to("button", "Let this card rest")
    page.keyboard.press("Enter")
    page.wait_for_function(
        "first => document.querySelector('[data-place] [data-card]').dataset.card != first", arg=first
    )
    reader.wait_until_sent()
    reader.open("/review")
    reader.press("1 card rests", "a")
    assert page.get_attribute(".resting [name=card]", "value") == first
    assert reader.fits()
    reader.press("Wake")
    assert "None." in page.inner_text("main")
    assert first in [card["card"] for card in reader.open_review()["cards"]]
