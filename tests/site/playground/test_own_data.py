"""Own data in the playground over HTTP: the visitor's own are there to choose, nobody else's are."""

import re

FLOWERS = "height,width,kind\n" + "\n".join(
    f"{0.1 * row + (3 if row % 2 else 0):.1f},{0.05 * row:.2f},{'rose' if row % 2 else 'daisy'}"
    for row in range(60)
)


def with_data(browser):
    somebody = browser()
    sent = {"how": "paste", "text": FLOWERS, "name": "Flowers"}
    answer = somebody.post("/data", sent, page="/data")
    assert answer.status_code == 303, answer.text
    return somebody, answer.headers["location"].rpartition("/")[2]


def test_own_data_are_chosen_by_name_and_shown_before_the_first_update(browser):
    somebody, own = with_data(browser)
    page = somebody.get("/playground?data=own").text
    assert f'<option value="{own}" selected>Flowers</option>' in page
    preview = somebody.get(f"/playground/preview?data=own&own={own}").json()
    assert preview["legend"] == ["daisy", "rose"]
    assert preview["rows"] == {"train": 36, "validation": 12, "test": 12}
    assert preview["own"]["target"] == "kind"
    assert "height" in preview["overlay"]
    assert "height" in somebody.get(f"/playground/program.py?data=own&own={own}&step=5").text
    numbers = somebody.get(f"/playground/preview?data=own&own={own}&target=width").json()
    assert numbers["metric"] == "r2"


def test_own_data_of_another_visitor_are_not_to_be_had(browser):
    _, own = with_data(browser)
    other = browser()
    for address in (f"/playground?data=own&own={own}", f"/playground/preview?data=own&own={own}"):
        answer = other.get(address)
        assert answer.status_code == 400
        assert "You have no such data set." in answer.text
        assert "rose" not in answer.text
    assert other.get(f"/playground/program.py?data=own&own={own}").status_code == 400


def test_own_rows_are_kept_by_no_cache_of_the_playground(site, browser):
    somebody, own = with_data(browser)
    assert somebody.get(f"/playground/preview?data=own&own={own}").status_code == 200
    body = {"query": f"data=own&own={own}"}
    assert (
        "class rose"
        in somebody.send("/playground/untrained", body, page="/playground").json()["view"]["words"]
    )
    previews = site.app.state.previews
    assert not any(own in key for kept in (previews.rows, previews.views) for key in kept._kept)


def test_who_has_no_data_is_sent_to_where_some_can_be_made(browser):
    answer = browser().get("/playground?data=own")
    assert answer.status_code == 400
    assert "draw one first" in answer.text
    assert re.search(r'<a href="/data">', answer.text)
