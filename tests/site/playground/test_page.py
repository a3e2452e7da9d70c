"""The page answers whatever the workers do, and says in words and tables what its pictures show."""

import html
import json
import random
import re
from dataclasses import replace

import numpy as np
import pytest

from slopewise.site.pages.playground import PARTS
from slopewise.site.playground.design import GENERATED, OPTIMIZERS, SCHEDULES, SETTINGS, read_design
from slopewise.site.playground.layers import KINDS
from slopewise.site.playground.rows import make_rows
from slopewise.site.playground.training import Training, answer_training

ADDRESSES = [
    "/playground",
    "/playground?data=blobs&step=200",
    "/playground?data=sine&optimizer=lbfgs&batch=2000",
    "/playground?data=circles&ask=train&to=40",
    "/playground/preview?data=ripples&layers=linear:5,softmax",
    "/playground/question?ask=update&step=3&to=4",
    "/playground/question?data=sine",
    "/playground/program.py?step=30",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_to_look_at_an_address_asks_no_worker_for_anything(site, browser, monkeypatch, address):
    async def refuse(*arguments):
        raise AssertionError("a worker was asked")

    monkeypatch.setattr(site.app.state.jobs.pool, "ask", refuse)
    monkeypatch.setattr(site.app.state.jobs.pool, "answer", refuse)
    assert browser().get(address).status_code == 200


def test_the_page_is_readable_while_all_workers_are_taken(site, browser, take_all_places, monkeypatch):
    monkeypatch.setattr(site.app.state.jobs.pool, "limits", quick(site))
    somebody = browser()
    with take_all_places():
        page = somebody.get("/playground?data=blobs&data_seed=77").text
        busy = somebody.send(
            "/playground/untrained", {"query": "data=blobs&data_seed=77"}, page="/playground"
        )
        trained = somebody.post("/playground?data_seed=78", {"step": "5"}, page="/playground")
    picture = re.search(r'class="overlay">.*?</div>', page, re.DOTALL)[0]
    assert picture.count("<circle") == 240  # 300 rows less the test rows
    assert "180 training rows, 60 validation rows, and 60 test rows, which stay sealed" in page
    assert "The formula" in page
    assert busy.status_code == 503
    assert "try again" in busy.json()["error"]
    assert trained.status_code == 503
    assert "<circle" in trained.text


def quick(site):
    return replace(site.app.state.jobs.pool.limits, patience=0.05)


def test_what_the_network_says_before_its_first_update_is_asked_for_by_script_and_then_kept(site, browser):
    somebody = browser()
    query = "data=circles&data_seed=5"
    view = somebody.send("/playground/untrained", {"query": query}, page="/playground").json()["view"]
    assert view["step"] == 0
    assert len(view["scores"]) == 6
    assert view["words"].startswith("After 0 updates the loss is ")
    assert view["words"] in html.unescape(browser().get(f"/playground?{query}").text)


def drawn_settings(seed):
    """Return settings that fit together, drawn by a seed."""
    draw = random.Random(seed)
    data = draw.choice(GENERATED)
    kinds = [kind for kind in draw.sample(sorted(KINDS), 2) if kind != "batch_norm"]
    layers = [f"{kind}:{KINDS[kind].usual:g}" if KINDS[kind].number else kind for kind in kinds]
    return {
        "data": data,
        "rows": str(draw.randint(40, 90)),
        "noise": str(draw.choice([0.0, 1.0, 2.5])),
        "layers": ",".join(["linear:5", *layers]),
        "optimizer": draw.choice(sorted(OPTIMIZERS)),
        "schedule": draw.choice(sorted(set(SCHEDULES) - {"linear"})),
        "lr": str(draw.choice([0.003, 0.03])),
        "batch": str(draw.choice([7, 2000])),
        "validation": str(draw.choice([0.1, 0.3])),
        "step": str(draw.randint(1, 9)),
    }


@pytest.mark.parametrize("seed", range(8))
def test_words_and_tables_say_the_engines_numbers_at_any_settings(browser, seed):
    query = drawn_settings(seed)
    step = int(query["step"])
    design = read_design(query)
    request = {"job": f"words {seed}", "values": design.values, "step": 0, "until": step, "seconds": 60.0}
    view = answer_training(request | {"snapshots": {}})["view"]
    page = browser().post("/playground", query, page="/playground").text
    rows = Training(design).rows
    _, _, loss, score, validation_loss, validation_score, *_ = view["scores"]
    words = html.unescape(re.search(r'class="words">(.*?)</p>', page)[1])
    signed = [
        f"{number:.4g}".replace("-", "−") for number in (loss, validation_loss, score, validation_score)
    ]
    counts = [len(rows.places[part]) for part in ("train", "validation")]
    name = "accuracy" if design.has_classes else "R²"
    assert words.startswith(
        f"After {step} updates the loss is {signed[0]} on {counts[0]} training rows and {signed[1]} on "
        f"{counts[1]} validation rows; the {name} is {signed[2]} and {signed[3]}. Over the picture "
    )
    assert f"The learning rate is {view['lr']:.4g}." in words
    cells = re.findall(
        r'data-part="[24]"><th scope="row">\w+</th><td>(\d+)</td><td>([^<]+)</td><td>([^<]+)<', page
    )
    assert cells == [
        (str(counts[0]), f"{loss:.4f}", f"{score:.3f}"),
        (str(counts[1]), f"{validation_loss:.4f}", f"{validation_score:.3f}"),
    ]
    table = re.search(r'class="picture-table">.*?</table>', page, re.DOTALL)[0]
    for row in view["table"]["rows"]:
        for cell in row:
            assert f">{html.escape(cell)}<" in table
    curve = re.search(r'class="curve-table">.*?</table>', page, re.DOTALL)[0]
    assert curve.count("<tr>") == step + 2  # a head, the start, and each update


def test_the_table_of_the_picture_holds_what_the_network_says_there():
    design = read_design({"data": "blobs", "rows": "60"})
    view = answer_training(
        {"job": "table", "values": design.values, "step": 0, "until": 30, "seconds": 60.0, "snapshots": {}}
    )["view"]
    frame, table = view["frame"], view["table"]
    assert table["columns"][0] == f"{frame[0]:.3g}".replace("-", "−")
    assert [row[0] for row in table["rows"]][::4] == [f"{end:.3g}".replace("-", "−") for end in frame[:1:-1]]
    classes = {cell.split()[0] for row in table["rows"] for cell in row[1:]}
    assert classes == {"0", "1", "2"}
    shares = [float(share) for share in re.findall(r"class \d on (\d+)%", view["words"])]
    assert sum(shares) == pytest.approx(100, abs=1.5)


def test_an_address_leaves_out_what_a_class_shall_not_see_and_the_rest_works(browser):
    page = browser().get("/playground?hide=lr,code,neurons&data=xor").text
    hidden = re.findall(r'class="[^"]* ?left-out"[^>]*data-part-name="([\w-]+)"', page)
    assert sorted(hidden) == ["code", "lr", "neurons"]
    assert 'name="lr"' in page  # it still counts
    shown = browser().get("/playground").text
    assert "left-out" not in shown
    for name in [*PARTS, *(setting.name for setting in SETTINGS if setting.name not in UNNAMED)]:
        assert f'data-part-name="{name}"' in shown, name
    wrong = browser().get("/playground?hide=lr,<b>")
    assert wrong.status_code == 400
    assert "what can be left out (hide) is" in wrong.text
    assert "<b>" not in wrong.text.partition('class="problem"')[2][:300]


UNNAMED = (
    "own",
    "target",
    "features",
    "layers",
)  # own data's, and those that are parts of the page by themselves


@pytest.mark.parametrize("data", GENERATED)
def test_the_legend_says_what_the_colours_mean(browser, data):
    preview = browser().get(f"/playground/preview?data={data}").json()
    design = read_design({"data": data})
    rows = make_rows(design)
    if design.has_classes:
        assert preview["legend"] == [f"class {k}" for k in range(design.classes)]
        assert set(np.unique(rows.targets["train"])) == set(range(design.classes))
    elif design.places > 1:
        ends = [rows.targets["train"].min(), rows.targets["train"].max()]
        assert preview["legend"] == [
            f"{end:.3g} and {word}".replace("-", "−") for end, word in zip(ends, ("below", "above"))
        ]


def test_targets_over_a_square_are_what_they_are_called():
    xor = make_rows(read_design({"data": "xor", "noise": "0"}))
    X, y = xor.places["train"], xor.targets["train"]
    assert ((X[:, 0] * X[:, 1] > 0) == y.astype(bool)).all()
    hills = make_rows(read_design({"data": "hills", "noise": "0", "rows": "2000"}))
    X, y = hills.places["train"], hills.targets["train"]
    for x1, x2, sign in [(-1.3, 0.9, 1), (0, 0.9, -1), (1.3, -0.9, -1), (0, -0.9, 1)]:
        near = np.hypot(X[:, 0] - x1, X[:, 1] - x2) < 0.15
        assert near.any()
        assert (sign * y[near] > 0.7).all()


@pytest.mark.parametrize("value", [None, 3, [], {}, "\x00", "\ud800"])
@pytest.mark.parametrize("address", ["/playground", "/lessons/gradient-descent"])
def test_settings_that_are_no_texts_are_refused_where_a_form_is_sent_as_json(browser, address, value):
    body = json.dumps({"seed": value})
    somebody = browser()
    headers = {"x-form-token": somebody.token("/log-in"), "content-type": "application/json"}
    answer = somebody.client.post(address, content=body, headers=headers)
    assert answer.status_code == 400
    assert "Each field of this form is a text" in answer.text
