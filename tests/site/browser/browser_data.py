"""Own data in a real browser: drawn with keys alone, pasted, trained on, reported in a sandboxed frame."""

import pytest


def draw(page, keys):
    page.focus("svg.board")
    for key in keys:
        page.keyboard.press(key)


def test_a_data_set_is_drawn_with_the_keyboard_alone(reader, page):
    reader.open("/data/draw")
    assert page.is_disabled("[data-keep]")
    line = ["Enter", "ArrowRight"] * 6
    draw(page, [*line, "2", "Shift+ArrowUp", *line, "U", "Delete"])
    told = page.inner_text("[data-told]")
    assert "No point is near" in told or "gone" in told
    rows = page.locator("[data-rows] tr").count()
    assert rows >= 10
    assert {page.inner_text(f"[data-rows] tr:nth-child({k}) td:last-child") for k in (1, rows)} == {"a", "b"}
    assert reader.fits()
    page.focus("[data-keep]")
    page.keyboard.press("Enter")
    page.wait_for_url("**/data/*-*")
    assert f"{rows} rows, 3 columns" in page.inner_text("main")
    assert reader.fits()


def test_points_are_put_and_taken_with_the_pointer(reader, page):
    reader.open("/data/draw")
    box = page.locator("svg.board").bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.click(*middle)
    x, y = page.locator("[data-rows] tr td").all_inner_texts()[:2]
    assert abs(float(x.replace("−", "-"))) < 0.1
    assert abs(float(y.replace("−", "-"))) < 0.1
    page.check("[name=board-tool][value=erase]")
    page.mouse.click(*middle)
    assert page.locator("[data-rows] tr").count() == 0
    page.click("[data-undo]")
    assert page.locator("[data-rows] tr").count() == 1
    page.check("[name=board-kind][value=curve]")
    assert page.locator("[data-head] th").all_inner_texts() == ["x", "y"]


def first_point(page):
    """Return where the last point drawn is, and how many there are."""
    rows = page.locator("[data-rows] tr")
    x, y = rows.first.locator("td").all_inner_texts()[:2]
    return float(x.replace("−", "-")), float(y.replace("−", "-")), rows.count()


def test_a_point_is_moved_by_the_pointer_and_with_the_keys_and_goes_back(reader, page, violations):
    reader.open("/data/draw")
    box = page.locator("svg.board").bounding_box()
    unit = box["width"] / 10.8
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.click(x, y)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + unit, y - unit)
    held = page.locator("[data-points] .held").bounding_box()
    assert abs(held["x"] + held["width"] / 2 - x - unit) < 3  # it is seen under the pointer
    page.mouse.move(x + 2 * unit, y - 2 * unit)
    page.mouse.up()
    assert page.locator("[data-points] .held").count() == 0
    assert first_point(page) == pytest.approx((2, 2, 1), abs=0.1)
    page.focus("svg.board")
    for key in ("m", "Shift+ArrowLeft", "Shift+ArrowLeft", "m"):
        page.keyboard.press(key)
    assert first_point(page) == pytest.approx((0, 2, 1), abs=0.1)
    page.keyboard.press("u")
    assert first_point(page) == pytest.approx((2, 2, 1), abs=0.1)
    page.keyboard.press("3")
    assert page.is_checked("[name=board-class][value='2']")
    assert violations(page) == []
    page.click("[data-undo]")
    assert first_point(page) == pytest.approx((0, 0, 1), abs=0.1)


def test_a_pasted_table_is_trained_on_and_its_report_is_of_no_origin(reader, page, violations):
    reader.open("/data")
    rows = "\n".join(f"{row},{row % 9},{'ab'[row % 2]}" for row in range(60))
    page.fill("#text", f"x,y,kind\n{rows}")
    page.click("text=Read the table")
    page.wait_for_url("**/data/*-*")
    assert violations(page) == []
    page.fill("#hidden", "8")
    page.click("main button:has-text('Train')")
    page.wait_for_selector("iframe.report", timeout=60_000)
    frame = page.frames[1]
    assert "Predicting kind from Pasted-data.csv" in frame.locator("h1").inner_text()
    assert frame.locator("figure svg").count() >= 1
    # A frame of no origin can read nothing of the page around it, and script is off in it.
    assert page.evaluate("document.querySelector('iframe').contentDocument") is None
    assert page.get_attribute("iframe.report", "sandbox") == ""
    assert reader.fits()
    assert violations(page) == []


@pytest.mark.parametrize("path", ["/data", "/data/draw"])
def test_no_page_of_own_data_shuts_anybody_out(reader, page, violations, path):
    reader.open(path)
    assert reader.fits()
    assert violations(page) == []


def test_the_curve_grows_while_it_trains_and_is_whole_after_a_reload(reader, page, violations):
    reader.open("/data")
    rows = "\n".join(f"{row % 97},{row % 9},{3 * (row % 97) + row % 9}" for row in range(8000))
    page.evaluate("text => (document.querySelector('#text').value = text)", f"x,y,z\n{rows}")
    page.click("text=Read the table")
    page.wait_for_url("**/data/*-*")
    page.fill("#hidden", "64,64")
    page.locator("details:has(#epochs) summary").click()
    page.fill("#epochs", "1000")
    page.fill("#batch_size", "300")
    page.fill("#lr", "0.00005")  # so slow that it does not stop early
    page.click("main button:has-text('Train')")
    page.wait_for_selector("[data-chart] path.line.forward", state="attached")
    seen = int(page.inner_text("[data-reading]").split()[1].rstrip(":"))
    page.wait_for_function(
        "seen => Number(document.querySelector('[data-reading]').textContent.match(/\\d+/)[0]) > seen",
        arg=seen,
    )
    assert page.inner_text("[data-words]").startswith("It is training")
    page.focus("[data-chart] svg")
    page.keyboard.press("Home")
    assert page.inner_text("[data-chart] .reading").startswith("Epoch 1: training ")
    assert violations(page) == []
    assert reader.fits()
    page.reload()
    page.wait_for_selector("[data-chart] path.line.forward", state="attached")
    page.click("details.numbers summary")
    assert page.inner_text("details.numbers tbody tr:last-child th") == "1" or (
        page.locator("details.numbers tbody tr").count() == 200
    )
    page.click("text=End the training")
    page.wait_for_url("**#trainings")
