"""Labs whose pictures are worked on: points drawn, moved and erased, a checkpoint kept, a cell opened.

Not collected by default: `make test-site` runs files of this name.
"""

import itertools

NUMBERS = itertools.count(20)


def run_there(page):
    """Run the lab unless it has been run already."""
    page.wait_for_selector(".lab .start, .lab .figures")
    if page.locator("[data-go=run]").count():
        page.click("[data-go=run]")
    page.wait_for_selector(".lab .figures")


def points(page, name):
    """Return the points that the address holds."""
    value = page.evaluate("name => new URLSearchParams(location.search).get(name)", name)
    return [] if value in (None, "none") else [row.split() for row in value.split("; ")]


def wait_for_points(page, name, count):
    page.wait_for_function(
        "([name, count]) =>"
        " (new URLSearchParams(location.search).get(name) ?? '').split(';').length === count",
        arg=[name, count],
    )


def test_a_row_is_drawn_moved_and_erased_with_the_keys_and_the_focus_stays(reader, page, violations):
    reader.open(f"/lessons/overfitting-and-leakage?seed={next(NUMBERS)}")
    run_there(page)
    reader.tab_to("svg[data-draws]")
    for key in ("ArrowRight", "Shift+ArrowUp", "Enter"):
        page.keyboard.press(key)
    page.wait_for_url("**own=*")
    [[x, y]] = points(page, "own")
    assert float(x) == 0.04
    assert float(y) > 0
    assert page.inner_text(".lab .heard").endswith("1 row.")
    assert "1 of the training rows are your own" in page.inner_text(".lab .words")
    for key in ("m", "ArrowRight", "ArrowRight", "m"):
        page.keyboard.press(key)
    page.wait_for_url("**own=0.12*")
    assert points(page, "own")[0][1] == y
    assert page.evaluate("document.activeElement.matches('svg[data-draws]')")
    assert violations(page) == []
    page.keyboard.press("Delete")
    page.wait_for_function("() => !location.search.includes('own=')")
    page.keyboard.press("u")
    page.wait_for_url("**own=0.12*")
    assert reader.fits()


def test_a_row_is_drawn_and_dragged_by_the_mouse(reader, page):
    reader.open(f"/lessons/overfitting-and-leakage?seed={next(NUMBERS)}")
    run_there(page)
    plot = page.locator("svg[data-draws]")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    at = [(box["x"] + share * box["width"], box["y"] + 0.12 * box["height"]) for share in (0.3, 0.5, 0.7)]
    page.mouse.click(*at[0])
    page.wait_for_url("**own=*")
    before = points(page, "own")
    box_after = plot.bounding_box()  # the page may have moved below the pointer
    dy = box_after["y"] - box["y"]
    y = float(before[0][1])
    page.mouse.move(at[0][0], at[0][1] + dy)
    page.mouse.down()
    page.mouse.move(at[1][0], at[1][1] + dy)
    page.mouse.move(at[2][0], at[2][1] + dy)
    page.mouse.up()
    page.wait_for_function("before => !location.search.includes(before)", arg=f"own={before[0][0]}+")
    [[x, moved]] = points(page, "own")
    assert float(x) > float(before[0][0]) + 0.5
    assert abs(float(moved) - y) < 0.3


def test_any_checkpoint_is_kept_by_the_slider(reader, page):
    reader.open(f"/lessons/overfitting-and-leakage?seed={next(NUMBERS)}")
    run_there(page)
    page.check("[data-skip]")
    page.focus("[data-go=on]")
    page.keyboard.press("End")
    page.wait_for_function("() => document.querySelector('.lab h3').textContent === 'What is true'")
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector(".offer input[type=range]")
    page.focus(".offer input[type=range]")
    for _ in range(22):
        page.keyboard.press("ArrowLeft")
    assert page.input_value(".offer input[type=number]") == "80"
    reader.tab_to("button", "Keep these weights")
    page.keyboard.press("Enter")
    page.wait_for_url("**keep=80*")
    page.wait_for_function("() => document.querySelector('.lab h3').textContent === 'What is true'")
    assert "kept the weights after 80 updates" in page.inner_text(".lab .words")
    assert reader.fits()


def test_a_file_is_drawn_pasted_and_taken_along(reader, page, violations):
    reader.open(f"/lessons/your-own-data?story=draw&seed={next(NUMBERS)}")
    run_there(page)
    page.click("[data-clear]")
    page.wait_for_function("() => document.querySelector('.lab h3').textContent === 'Draw on the sheet'")
    assert page.is_visible("svg[data-draws]")  # to go on drawing
    reader.tab_to("svg[data-draws]")
    for kind, way in (("1", "ArrowUp"), ("2", "ArrowDown")):
        page.keyboard.press(kind)
        for _ in range(4):
            page.keyboard.press(way)
            page.keyboard.press("Enter")
    wait_for_points(page, "drawn", 8)
    assert [row[2] for row in points(page, "drawn")] == ["a"] * 4 + ["b"] * 4
    page.wait_for_function("() => document.querySelector('.lab h3').textContent === 'What you drew'")
    rows = "\n".join(f"{k / 4 - 2},{k % 3},{'ab'[k % 2]}" for k in range(16))
    page.fill("#set-drawn", f"x1,x2,class\n{rows}")
    page.keyboard.press("Tab")
    wait_for_points(page, "drawn", 16)
    page.check("[data-skip]")
    page.focus("[data-go=on]")
    page.keyboard.press("End")
    page.wait_for_selector(".numbers.foremost")
    assert violations(page) == []
    with page.expect_download() as download:
        page.click("a[download]")
    lines = download.value.path().read_text().splitlines()
    assert lines[0] == "Row,x1,x2,class,part,learned"
    assert lines[1].startswith("1,-2,0,a,")
    assert len(lines) == 17
    assert reader.fits()


def test_a_cell_of_the_confusion_matrix_opens_its_examples_by_press_and_by_key(reader, page, violations):
    reader.open(f"/lessons/error-analysis?seed={next(NUMBERS)}&step=2")
    run_there(page)
    page.wait_for_selector(".matrix a")
    assert violations(page) == []
    reader.tab_to(".matrix a")
    cell = page.evaluate("document.activeElement.dataset.sets")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{cell}*step=3*")
    assert page.inner_text(".lab h3").startswith("Error 1 of")
    other = page.locator(f".matrix a:not([data-sets='{cell}'])").first
    wanted = other.get_attribute("data-sets")
    other.click()
    page.wait_for_url(f"**{wanted}*step=3*")
    assert page.input_value("#set-cell") == wanted.partition("=")[2]
    assert reader.fits()


def test_own_tags_are_counted_and_choose_the_fix_and_stay_in_another_cell(reader, page, violations):
    seed = next(NUMBERS)
    reader.open(f"/lessons/error-analysis?seed={seed}&step=3")
    run_there(page)
    for k in (1, 2):
        page.wait_for_function(
            "k => document.querySelector('.lab h3').textContent.startsWith(`Error ${k} `)", arg=k
        )
        page.check(".offer label:has-text('faint') input")
        page.focus(".offer button")
        page.keyboard.press("Enter")
    page.wait_for_url(f"**tags={seed}_*.faint_*.faint*step=5")
    page.select_option("#set-order", "chance")
    page.wait_for_url("**order=chance*")
    assert page.url.count(".faint") == 2
    page.check("[data-skip]")
    page.focus("[data-go=on]")
    while page.inner_text(".lab h3") != "Your tags, counted":
        shown = page.inner_text(".lab h3")
        page.keyboard.press("ArrowRight")
        page.wait_for_function("shown => document.querySelector('.lab h3').textContent !== shown", arg=shown)
    faint = page.locator(".numbers.foremost tr:has(th:text-is('faint')) td").all_inner_texts()
    assert faint[0] == "2"
    assert violations(page) == []
    assert reader.fits()
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(".offer input")
    assert page.input_value(".offer input:checked") == "top"
    page.click(".offer button")
    page.wait_for_function("() => document.querySelector('.lab h3').textContent.includes('faint pictures')")
    assert reader.fits()
