"""The playground in Chromium: trained by keyboard alone, drawn live, walked back, nothing serious for axe."""

import pytest

TRAINED = "wanted => Number(document.querySelector('.place').textContent.match(/update (\\d+)/)[1]) >= wanted"
RESTS = "() => document.querySelector('[data-go=run]').textContent === 'Train'"


def at(page):
    return int(page.inner_text(".place").split()[1])


def open_playground(reader, query=""):
    reader.open(f"/playground{query}")
    reader.page.wait_for_function("() => document.querySelector('.diagram [data-neuron]')")
    reader.page.check("[data-skip]")


def test_a_network_is_trained_paused_and_walked_with_the_keyboard(reader, page):
    open_playground(reader)
    page.focus("[data-go=run]")
    page.keyboard.press("p")
    page.wait_for_function(TRAINED, arg=30)
    page.keyboard.press("p")
    page.wait_for_function(RESTS)
    rest = at(page)
    page.keyboard.press("ArrowRight")
    page.wait_for_function(TRAINED, arg=rest + 1)
    there = page.inner_text(".words")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(
        "rest => document.querySelector('.words').textContent.startsWith(`After ${rest} `)", arg=rest
    )
    assert page.inner_text(".words") != there
    page.keyboard.press("ArrowRight")
    page.wait_for_function("there => document.querySelector('.words').textContent === there", arg=there)
    assert f"step={rest + 1}" in page.url
    page.keyboard.press("Home")
    page.wait_for_function("() => document.querySelector('.words').textContent.startsWith('After 0 ')")
    assert reader.fits()


def test_live_curves_are_drawn_and_read_by_keys_in_words_and_in_a_table(reader, page):
    open_playground(reader)
    dots = "count => document.querySelectorAll('[data-chart=loss] .dots circle').length === count"
    page.wait_for_function(dots, arg=2)  # one point makes no line, and is seen all the same
    page.click("[data-go=epoch]")
    page.wait_for_function(TRAINED, arg=12)
    page.wait_for_function("() => document.querySelectorAll('[data-chart=loss] .line').length === 2")
    page.wait_for_function(dots, arg=0)
    page.focus("[data-chart=loss] svg")
    page.keyboard.press("Home")
    assert page.inner_text("[data-chart=loss] .reading").startswith("Update 0: training ")
    page.keyboard.press("ArrowRight")
    assert page.inner_text("[data-chart=loss] .reading").startswith("Update 1: ")
    page.click("details.numbers:has(.curve-table) summary")
    page.wait_for_function("() => document.querySelectorAll('.curve-table tbody tr').length === 13")


def test_layers_are_added_moved_and_removed_with_the_keyboard(reader, page):
    open_playground(reader)
    page.select_option(".layers select", "dropout")
    page.focus("[data-add-layer]")
    page.keyboard.press("Enter")
    page.wait_for_function("() => new URL(location).searchParams.get('layers')?.endsWith('dropout:0.2')")
    page.focus(".layers li:last-child .up")
    page.keyboard.press("Enter")
    page.wait_for_function("() => new URL(location).searchParams.get('layers')?.endsWith('dropout:0.2,tanh')")
    page.focus(".layers li:first-child .drop")
    page.keyboard.press("Enter")
    page.wait_for_function("() => new URL(location).searchParams.get('layers')?.startsWith('tanh,')")
    assert "Dropout" in page.inner_text(".program")
    assert reader.fits()


def test_a_neuron_shows_its_weights_and_gradients(reader, page):
    open_playground(reader)
    page.click("[data-go=on]")
    page.wait_for_function(TRAINED, arg=1)
    page.focus("[data-neuron='1 0']")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    table = page.inner_text(".neuron")
    assert "Layer 2" in table
    assert "weight of neuron 8" in table
    assert "none yet" not in table


def test_the_link_of_a_card_offers_its_step_and_asks_again_there(reader, page):
    reader.open("/playground?data=circles&step=3&ask=update&to=4")
    page.wait_for_function("() => document.querySelector('.diagram [data-neuron]')")
    assert at(page) == 0
    page.click("[data-go=run]")
    page.wait_for_selector(ASKED)
    assert at(page) == 3
    assert "What does update 4 do to the loss" in page.inner_text(ASKED)


ASKED = ".prediction.needs-script:not([hidden])"


def test_a_prediction_comes_before_a_training_and_is_judged_after_it(reader, page):
    reader.open("/playground?data=blobs")
    page.wait_for_function("() => document.querySelector('.diagram [data-neuron]')")
    page.click("[data-go=run]")
    page.wait_for_selector(ASKED)
    page.click("[data-go=commit]")
    assert "Choose one" in page.inner_text(".problem")
    page.check(f"{ASKED} input >> nth=2")
    page.click("[data-go=commit]")
    page.wait_for_selector(".verdict strong")
    assert page.inner_text(".verdict").startswith("You were right. You predicted: above 0.95.")
    assert "After 200 updates it is" in page.inner_text(".verdict")


def test_single_updates_and_going_back_ask_too_by_keyboard_and_once_each(reader, page):
    reader.open("/playground?data=circles")
    page.wait_for_function("() => document.querySelector('.diagram [data-neuron]')")
    page.focus("[data-go=run]")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(ASKED)
    assert "What does update 1 do to the loss" in page.inner_text(ASKED)
    assert at(page) == 0
    page.keyboard.press("Space")
    page.focus("[data-go=commit]")
    page.keyboard.press("Enter")
    page.wait_for_selector(".verdict strong")
    assert at(page) == 1
    page.keyboard.press("ArrowRight")  # asked once
    page.wait_for_function(TRAINED, arg=2)
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector(ASKED)
    assert "Back from update 2 to update 1" in page.inner_text(ASKED)
    page.check(f"{ASKED} input >> nth=0")
    page.focus("[data-go=commit]")
    page.keyboard.press("Enter")
    page.wait_for_selector(".verdict.right")
    assert at(page) == 1
    assert "follow from the seeds" in page.inner_text(".verdict")


def test_a_failed_prediction_is_kept_with_a_way_back_to_that_very_step(reader, page):
    reader.open("/playground?data=circles")
    page.wait_for_function("() => document.querySelector('.diagram [data-neuron]')")
    page.click("[data-go=on]")
    page.wait_for_selector(ASKED)
    page.check(f"{ASKED} input >> nth=2")
    page.click("[data-go=commit]")
    page.wait_for_selector(".verdict.other .aside")
    assert "Kept as a card in this browser." in page.inner_text(".verdict")
    reader.open("/cards")
    page.click("[data-failed-cards] summary")
    page.click("text=Back to that step")
    page.wait_for_selector(ASKED)
    assert "What does update 1 do to the loss" in page.inner_text(ASKED)
    assert at(page) == 0
    assert "ask=update" in page.url


def test_the_test_set_is_opened_by_a_button_and_the_page_keeps_the_log(reader, page):
    open_playground(reader)
    page.click("[data-go=on]")
    page.wait_for_function(TRAINED, arg=1)
    assert "sealed" in page.inner_text("[data-part='6']")
    page.click("[data-open-test]")
    page.wait_for_selector(".openings")
    assert "was opened once, at update 1." in page.inner_text(".openings")
    assert page.locator(".overlay .dots.test").count() == 2
    page.wait_for_function("() => document.querySelectorAll('[data-chart=loss] .line').length === 3")


def test_a_link_with_an_update_offers_it_and_trains_only_when_asked(reader, page):
    open_playground(reader, "?data=circles&step=25")
    page.wait_for_timeout(400)
    assert at(page) == 0
    assert page.inner_text("[data-go=run]") == "Train to update 25"
    page.click("[data-go=run]")
    page.wait_for_function(TRAINED, arg=25)
    assert at(page) == 25


def test_a_neuron_under_the_focus_is_shown_large(reader, page):
    open_playground(reader)
    pixels = "() => document.querySelector('.stack canvas').width"
    assert page.evaluate(pixels) == 44
    page.focus("[data-neuron='1 2']")
    assert page.inner_text(".surface figcaption") == "Only layer 1, neuron 3, over the inputs"
    assert page.evaluate(pixels) == 12
    page.focus("[data-go=run]")
    assert page.inner_text(".surface figcaption").startswith("What the network says")
    assert page.evaluate(pixels) == 44


def test_a_weight_is_set_by_hand_where_one_stands_and_undone(reader, page):
    open_playground(reader)
    page.click("[data-go=epoch]")
    page.wait_for_function(TRAINED, arg=12)
    page.wait_for_function(RESTS)
    page.fill("[aria-label='weight of x₂, value']", "0.75")
    page.keyboard.press("Enter")
    page.wait_for_function("() => new URL(location).searchParams.get('edits') === '12:1.1.2=0.75'")
    page.wait_for_function(TRAINED, arg=12)
    page.wait_for_function("() => document.querySelector('.words').textContent.startsWith('After 12 ')")
    assert "set_by_hand(model, EDITS, trainer.step)" in page.inner_text(".program")
    page.focus("[data-go=run]")
    page.click("[data-neuron='1 1']")
    page.click("[data-neuron='1 0']")
    assert page.input_value("[aria-label='weight of x₂, value']") == "0.75"
    page.click("[data-forget-edits]")
    page.wait_for_function("() => !location.search.includes('edits')")


def test_new_rows_and_new_weights_are_the_next_seeds(reader, page):
    open_playground(reader)
    before = page.inner_text(".words"), page.inner_html(".overlay")
    page.click("[data-next=data_seed]")
    page.wait_for_function("() => new URL(location).searchParams.get('data_seed') === '1'")
    page.wait_for_function("old => document.querySelector('.overlay').innerHTML !== old", arg=before[1])
    page.click("[data-next=seed]")
    page.wait_for_function("() => new URL(location).searchParams.get('seed') === '1'")


def test_what_a_teacher_leaves_out_is_in_the_address_and_stays_out(reader, page):
    open_playground(reader)
    page.click(".shown summary")
    page.uncheck("[data-shows=code]")
    page.uncheck("[data-shows=lr]")
    assert not page.is_visible(".program")
    page.select_option("[name=data]", "circles")
    page.wait_for_function("() => new URL(location).searchParams.get('data') === 'circles'")
    assert "hide=lr,code" in page.url or "hide=code,lr" in page.url
    page.reload()
    page.wait_for_function("() => document.querySelector('.diagram [data-neuron]')")
    assert not page.is_visible(".program")
    assert not page.is_visible("[name=lr]")
    assert page.is_visible("[name=rows]")
    page.click("[data-go=on]")
    page.wait_for_function(TRAINED, arg=1)
    assert "hide=" in page.url


@pytest.mark.parametrize("query", ["", "?data=sine", "?data=blobs&layers=linear:20,relu,residual:8"])
def test_the_playground_is_accessible_before_and_after_training(new_reader, violations, query):
    reader = new_reader()
    page = reader.page
    open_playground(reader, query)
    page.click("[data-go=epoch]")
    page.wait_for_function(TRAINED, arg=12)
    wrong = []
    for width, scheme in ((1280, "light"), (375, "dark")):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        assert reader.fits()
        wrong += violations(page)
    assert wrong == []
