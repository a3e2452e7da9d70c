"""The programs of a lesson: ours, and one other library beside it, chosen with keys and without script.

Not collected by default: `make test-site` runs files of this name.
"""

OURS, OTHERS = ".shelf >> nth=0", ".shelf >> nth=1"


def shown(page, shelf):
    return page.locator(f"{shelf} >> .snippet:visible")


def test_another_library_is_chosen_with_the_arrow_keys_and_ours_stays(reader, page, violations):
    reader.open("/lessons/training-loop")
    before = shown(page, OURS).inner_text()
    titles = []
    reader.tab_to("input[name=snippet-others]")
    for _ in range(page.locator("input[name=snippet-others]").count()):
        assert shown(page, OTHERS).count() == 1
        titles.append(page.evaluate("document.activeElement.nextElementSibling.textContent"))
        assert shown(page, OTHERS).locator("samp").inner_text().strip()
        page.keyboard.press("ArrowDown")
    assert titles == [
        "PyTorch",
        "Keras: compile and fit",
        "TensorFlow: the loop by hand",
        "scikit-learn",
        "JAX",
    ]
    assert shown(page, OURS).inner_text() == before
    assert violations(page) == []
    assert reader.fits()


def test_ours_and_the_other_stand_side_by_side_where_there_is_room_and_one_above_the_other_on_a_phone(
    reader, page
):
    reader.open("/lessons/training-loop")
    ours, others = (page.locator(shelf).bounding_box() for shelf in (OURS, OTHERS))
    if page.viewport_size["width"] > 1000:
        assert ours["x"] + ours["width"] < others["x"]
        assert ours["y"] == others["y"]
    else:
        assert ours["y"] + ours["height"] < others["y"]


def test_no_script_is_needed_to_choose(new_reader):
    reader = new_reader(java_script_enabled=False)
    reader.open("/lessons/training-loop")
    reader.page.click("label[for=snippet-jax_loop]")
    assert "jax" in shown(reader.page, OTHERS).inner_text()
    assert shown(reader.page, OTHERS).count() == shown(reader.page, OURS).count() == 1
