"""Own data over HTTP: pasted, uploaded, generated; what it holds, trained on, shared, exported, deleted."""

import io
import json
import re
import time
import uuid
from datetime import timedelta

import pytest

from slopewise.data import generate_table, read_table
from slopewise.site.datasets import records
from slopewise.site.datasets.records import Quota
from slopewise.site.storage.dataset_tables import DataSet

FLOWERS = "height,width,kind\n" + "\n".join(
    f"{0.1 * row + (3 if row % 2 else 0):.1f},{0.05 * row:.2f},{'rose' if row % 2 else 'daisy'}"
    for row in range(60)
)
PASSWORD = "correct horse battery staple"


def paste(somebody, text=FLOWERS, name="Flowers", **fields):
    return somebody.post("/data", {"how": "paste", "text": text, "name": name, **fields}, page="/data")


def pasted(somebody, text=FLOWERS, name="Flowers"):
    answer = paste(somebody, text, name)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def upload(somebody, name, content):
    token = somebody.token("/data")
    return somebody.client.post("/data/upload", data={"form_token": token}, files={"file": (name, content)})


def trained(somebody, address, patience=60, **fields):
    """Train, and look at the page until it has ended; return its address and its text."""
    fields = {"target": "kind", "epochs": "5", "hidden": "8", **fields}
    answer = somebody.post(f"{address}/runs", fields, page=address)
    assert answer.status_code == 303, answer.text
    run = answer.headers["location"]
    for _ in range(10 * patience):
        text = somebody.get(run).text
        if 'http-equiv="refresh"' not in text:
            return run, text
        time.sleep(0.1)
    raise AssertionError("the training did not end")


def kept_by(somebody):
    return re.findall(r'href="(/data/[0-9a-f-]{36})"', somebody.get("/data").text)


def folder_of(site, address):
    return site.app.state.workshop.shelf.folder / address.rpartition("/")[2].replace("-", "")


def test_a_pasted_table_is_described_trained_on_and_reported_in_the_page(site, browser):
    somebody = browser()
    address = pasted(somebody)
    text = somebody.get(address).text
    for piece in (
        "60 rows, 3 columns",
        "No cell is missing",
        "No row repeats another",
        "Predicting kind is classification",
        "Always saying “daisy” is right in 50.0%",
        '<th scope="row">height</th><td>number</td>',
    ):
        assert piece in text, piece
    assert "<svg" in text
    run, text = trained(somebody, address)
    assert "Test balanced accuracy" in text or "Test accuracy" in text
    assert re.search(r"<iframe[^>]+ sandbox title=", text)
    answer = somebody.get(f"{run}/report")
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "sandbox" in policy
    assert "allow-same-origin" not in policy
    assert "allow-scripts" not in policy
    assert "Predicting kind from Flowers.csv" in answer.text
    assert "slopewise fit Flowers.csv --target kind" in answer.text
    assert "<script" not in answer.text
    assert str(site.app.state.workshop.shelf.folder) not in answer.text
    assert "frame-src 'self'" in somebody.get(run).headers["content-security-policy"]


def test_the_report_is_the_one_that_fit_writes(browser, tmp_path, monkeypatch):
    """Same table, same settings, same scores: the page trains by the code of the command."""
    from slopewise.cli.app import run as command

    somebody = browser()
    address = pasted(somebody)
    page, _ = trained(somebody, address, epochs="60", hidden="8")
    report = somebody.get(f"{page}/report").text
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLOPEWISE_TARGET", "interpreter")
    (tmp_path / "Flowers.csv").write_text(FLOWERS + "\n")
    arguments = "fit Flowers.csv --target kind --epochs 60 --hidden 8 --out run --quiet"
    assert command(arguments.split()) == 0
    own = (tmp_path / "run" / "report.html").read_text()

    def figures(text):
        """Return the numbers of the page, those apart that say when and on what machine."""
        found = re.findall(r"<dd>(.*?)</dd>", re.sub(r"[0-9.]+\s*s of training", "", text))
        return [figure for figure in found if not re.search(" UTC|THREADS|not limited", figure)]

    assert len(figures(report)) >= 10
    assert figures(report) == figures(own)


# ---- coming in


def test_a_parquet_file_is_uploaded_and_read(browser):
    out = io.BytesIO()
    generate_table("blobs", 60, seed=1).frame.write_parquet(out)
    somebody = browser()
    answer = upload(somebody, "my blobs.PARQUET", out.getvalue())
    assert answer.status_code == 303, answer.text
    text = somebody.get(answer.headers["location"]).text
    assert "<h1>my blobs</h1>" in text
    assert "60 rows, 3 columns" in text


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("../../../etc/passwd.csv", b"x,y\n1,2\n3\n", "passwd.csv: row 2 (line 3) has 1 cell"),
        ("a", b"x,y\n1,2\n", "do not know how to read"),
    ],
)
def test_what_cannot_be_read_is_told_in_the_words_of_the_command_line(browser, name, content, told):
    somebody = browser()
    answer = upload(somebody, name, content)
    assert answer.status_code == 400, answer.text
    assert told in answer.text
    assert "/tmp" not in answer.text
    assert "Traceback" not in answer.text
    assert not kept_by(somebody)


def test_a_file_that_is_too_large_or_none_is_refused(browser):
    somebody = browser()
    assert upload(somebody, "a.csv", b"x\n" + b"1\n" * (5 * 2**20 + 10_000)).status_code == 413
    token = somebody.token("/data")
    empty = somebody.client.post("/data/upload", data={"form_token": token}, files={"file": ("", b"")})
    assert empty.status_code == 400
    assert "Choose a file first" in empty.text
    plain = somebody.client.post("/data/upload", data={"form_token": token})
    assert plain.status_code == 415
    torn = {"content-type": "multipart/form-data; boundary=x"}
    assert somebody.client.post("/data/upload", content=b"--y", headers=torn).status_code == 400


def test_an_upload_that_another_site_sends_is_refused(browser):
    somebody = browser()
    files = {"file": ("a.csv", FLOWERS)}
    token = somebody.token("/data")
    foreign = {"origin": "https://evil.example"}
    fields = {"form_token": token}
    assert somebody.client.post("/data/upload", data=fields, files=files, headers=foreign).status_code == 403
    assert somebody.client.post("/data/upload", data={"form_token": "x"}, files=files).status_code == 403
    assert not kept_by(somebody)


@pytest.mark.parametrize(("charset", "token"), [("unicode_escape", b"\\ud800"), ("utf-7", b"+2AA-")])
def test_a_charset_that_makes_half_a_character_of_the_token_is_refused(browser, charset, token):
    somebody = browser()
    somebody.token("/data")
    field = b'--x\r\nContent-Disposition: form-data; name="form_token"\r\n\r\n%s\r\n--x--\r\n' % token
    headers = {"content-type": f"multipart/form-data; boundary=x; charset={charset}"}
    assert somebody.client.post("/data/upload", content=field, headers=headers).status_code == 403


def test_pasted_tabs_are_read_and_generated_data_is_made(browser):
    somebody = browser()
    tabs = FLOWERS.replace(",", "\t").replace("0.", "0,").replace("\n", "\r\n")
    assert "60 rows, 3 columns" in somebody.get(pasted(somebody, tabs)).text
    fields = {"how": "generate", "kind": "moons", "rows": "80", "noise": "0.2", "seed": "3"}
    answer = somebody.post("/data", fields, page="/data")
    assert "80 rows, 3 columns" in somebody.get(answer.headers["location"]).text
    for wrong in ({"kind": "pears"}, {"rows": "9"}, {"rows": "x"}, {"noise": "nan"}, {"seed": "-1"}):
        answer = somebody.post("/data", {**fields, **wrong}, page="/data")
        assert answer.status_code == 400, wrong
    assert paste(somebody, "  \n ").status_code == 400
    assert paste(somebody, name="x" * 81).status_code == 400


def test_what_a_table_says_is_shown_letter_by_letter(browser):
    evil = '"<script>alert(1)</script>","{{ 7 * 7 }}",kind\n'
    evil += "\n".join(f'{row},{row % 7},"<img src=x onerror=alert({row % 2})>"' for row in range(40))
    somebody = browser()
    address = pasted(somebody, evil, "<b>name</b>")
    text = somebody.get(address).text
    assert "<script>alert" not in text
    assert "<img" not in text
    assert "<b>name" not in text
    assert "{{ 7 * 7 }}" in text
    run, text = trained(somebody, address, hidden="none", epochs="2")
    assert "<img" not in text
    assert "<img" not in somebody.get(f"{run}/report").text


# ---- training


def test_a_training_that_cannot_be_is_told_in_a_line(browser):
    somebody = browser()
    run, text = trained(somebody, pasted(somebody), target="colour")
    assert "there is no column" in text.partition('role="alert">')[2].partition("</p>")[0]
    assert "Traceback" not in text
    assert "<iframe" not in text
    assert somebody.get(f"{run}/report").status_code == 404


@pytest.mark.parametrize(
    "fields",
    [{"hidden": "a"}, {"epochs": "0"}, {"lr": "x"}, {"lr": "inf"}, {"seed": "1.5"}, {"batch_size": "all"}],
)
def test_settings_that_are_no_settings_are_refused_before_anything_is_run(browser, fields):
    somebody = browser()
    address = pasted(somebody)
    answer = somebody.post(f"{address}/runs", {"target": "kind", **fields}, page=address)
    assert answer.status_code == 400
    assert "trainings</h3>" not in somebody.get(address).text


def test_the_page_of_a_column_of_numbers_says_that_it_is_a_regression(browser):
    somebody = browser()
    text = "x,y\n" + "\n".join(f"{row / 10},{row * 0.3 + 1:.3f}" for row in range(60))
    text = somebody.get(pasted(somebody, text)).text
    assert "Predicting y is regression" in text
    assert "expect errors of at least about that size" in text
    assert "<svg" in text


def test_a_table_of_a_single_column_is_shown_and_not_offered_for_training(browser):
    somebody = browser()
    address = pasted(somebody, "kind\n" + "rose\ndaisy\n" * 20)
    text = somebody.get(address).text
    assert "no column is left as an input (there is none but &#39;kind&#39;); add columns" in text
    assert "Shares of the classes" in text
    assert '<h2 id="train">' not in text
    assert f'action="{address}/runs"' not in text


def test_one_training_at_a_time_and_one_that_nobody_looks_at_ends(site, browser, clock):
    somebody = browser()
    address = pasted(somebody, FLOWERS + "\n" + FLOWERS.partition("\n")[2])
    slow = {"target": "kind", "hidden": "128,128", "epochs": "1000", "batch_size": "32"}
    first = somebody.post(f"{address}/runs", slow, page=address)
    assert first.status_code == 303
    second = somebody.post(f"{address}/runs", slow, page=address)
    assert second.status_code == 400
    assert "One at a time" in second.text
    assert f'href="{first.headers["location"]}">Go to that training</a>' in second.text
    assert 'http-equiv="refresh"' in somebody.get(first.headers["location"]).text
    clock.ahead = timedelta(seconds=40)
    time.sleep(2.6)
    text = somebody.get(first.headers["location"]).text
    assert "It was ended before its end" in text
    assert not list(site.app.state.workshop.shelf.folder.glob("work-*"))


def test_a_training_waits_in_the_queue_of_labs_and_shows_its_place(site, browser, take_all_places):
    somebody, other = browser(), browser()
    address = pasted(somebody)
    with take_all_places():
        token = other.token("/lessons/gradient-descent")
        sent = {"query": "lr=0.4321"}
        told = other.client.post(
            "/labs/gradient-descent/runs", json=sent, headers={"x-form-token": token}
        ).json()
        assert (told["state"], told["place"]) == ("waiting", 1)
        run = somebody.post(f"{address}/runs", {"target": "kind", "epochs": "2"}, page=address)
        assert "It waits at place 2 in the queue." in somebody.get(run.headers["location"]).text
    until = time.monotonic() + 30
    while 'http-equiv="refresh"' in somebody.get(run.headers["location"]).text:
        assert time.monotonic() < until, "the training did not end"
        time.sleep(0.1)
    assert '<iframe class="report"' in somebody.get(run.headers["location"]).text


def test_a_training_can_be_ended_and_deleted(browser):
    somebody = browser()
    address = pasted(somebody)
    slow = {"target": "kind", "hidden": "128,128", "epochs": "800"}
    run = somebody.post(f"{address}/runs", slow, page=address).headers["location"]
    assert somebody.post(run, {"action": "stop"}, page=run).status_code == 303
    assert "You ended it" in somebody.get(run).text
    assert somebody.post(run, {"action": "delete"}, page=run).status_code == 303
    assert somebody.get(run).status_code == 404


# ---- whose it is


def test_nobody_sees_or_touches_the_data_of_another(browser):
    owner, other, guest = browser().sign_up(), browser().sign_up(), browser()
    address = pasted(owner)
    run, _ = trained(owner, address, target="colour")  # refused, and a training like others
    pasted(guest)
    for somebody in (other, guest, browser()):
        for path in (address, f"{address}/table.csv", run, f"{run}/report"):
            assert somebody.get(path).status_code == 404, path
        for path, fields in (
            (address, {"action": "delete"}),
            (address, {"action": "share"}),
            (f"{address}/runs", {"target": "kind"}),
            (run, {"action": "delete"}),
        ):
            assert somebody.post(path, fields, page="/data").status_code == 404, path
    assert owner.get(run).status_code == 200
    assert "Flowers" not in other.get("/data").text


def test_a_link_shows_the_table_and_no_training_until_it_is_revoked(browser):
    owner, other = browser().sign_up(), browser()
    address = pasted(owner)
    text = owner.post(address, {"action": "share"}, page=address).text
    link = re.search(r'href="[^"]*(/data/shared/[^"]+)"', text)[1]
    assert link not in owner.get(address).text  # shown once: only a digest is kept
    shown = other.get(link)
    assert shown.status_code == 200
    assert "60 rows, 3 columns" in shown.text
    assert "runs/" not in shown.text
    assert other.get(f"{link}/table.csv").text.startswith("height,width,kind")
    copied = other.post(link, page="/data")
    assert "60 rows, 3 columns" in other.get(copied.headers["location"]).text
    again = re.search(r"/data/shared/([^\"]+)", owner.post(address, {"action": "share"}, page=address).text)[
        0
    ]
    assert other.get(link).status_code == 410
    assert other.get(again).status_code == 200
    assert owner.post(address, {"action": "unshare"}, page=address).status_code == 303
    assert other.get(again).status_code == 410
    assert other.get(f"{again}/table.csv").status_code == 410
    assert other.post(again, page="/data").status_code == 410
    assert other.get(copied.headers["location"]).status_code == 200  # a copy is a copy


def test_an_export_keeps_numbers_and_neutralises_formulas(browser):
    table = 'n,text,kind\n-1.5,"=HYPERLINK(""http://evil"")",a\n+2,@SUM(A1),b\n3e5,-cmd|x,a\n4," +1+1",b\n'
    somebody = browser()
    answer = somebody.get(f"{pasted(somebody, table)}/table.csv")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["content-security-policy"]
    rows = answer.text.splitlines()
    assert rows[1].startswith("-1.5,")
    assert "'=HYPERLINK" in rows[1]
    assert ",'@SUM" in rows[2]
    assert ",'-cmd|x" in rows[3]
    assert "'+1+1" in rows[4]


def test_a_visitor_without_an_account_may_keep_so_much_and_no_more(browser, monkeypatch):
    monkeypatch.setattr("slopewise.site.datasets.records.GUEST_QUOTA", Quota(2, 10_000_000))
    somebody = browser()
    for _ in range(2):
        pasted(somebody, "x,y\n1,2\n3,4\n")
    answer = paste(somebody)
    assert answer.status_code == 400
    assert "room for 2 data sets" in answer.text
    assert len(kept_by(somebody)) == 2
    monkeypatch.setattr("slopewise.site.datasets.records.GUEST_QUOTA", Quota(9, 300))
    assert "may take" in paste(somebody).text


def size_of(site, address):
    with site.app.state.database.reading() as session:
        return session.get_one(DataSet, uuid.UUID(address.rpartition("/")[2])).size


def test_reports_count_for_the_quota_and_make_room_when_they_are_deleted(site, browser, monkeypatch):
    somebody = browser()
    address = pasted(somebody)
    before = size_of(site, address)
    run, _ = trained(somebody, address)
    files = sum(file.stat().st_size for file in folder_of(site, address).iterdir())
    assert size_of(site, address) == files > before + 10_000
    quota = Quota(9, files + 5000)
    monkeypatch.setattr("slopewise.site.datasets.records.GUEST_QUOTA", quota)
    answer = somebody.post(f"{address}/runs", {"target": "kind", "epochs": "5"}, page=address)
    assert answer.status_code == 400  # at the begin, and not after the work is done
    assert "are used. Delete one first" in answer.text
    monkeypatch.setattr("slopewise.site.datasets.records.REPORT_BYTES", 0)
    _, text = trained(somebody, address)
    assert "are used. Delete one first" in text
    assert size_of(site, address) == files
    assert somebody.post(run, {"action": "delete"}, page=run).status_code == 303
    assert size_of(site, address) == before


def test_visitors_in_one_network_may_keep_so_much_together_and_others_do_not_notice(
    site, browser, monkeypatch
):
    school = "10.96.96.96"
    room = size_of(site, pasted(browser(school))) + 100
    monkeypatch.setattr("slopewise.site.datasets.records.NETWORK_BYTES", room)
    refused = paste(browser(school))
    assert refused.status_code == 400
    assert "visitors from your network" in refused.text
    assert paste(browser()).status_code == 303
    assert paste(browser(school).sign_up()).status_code == 303


def test_a_class_of_forty_may_each_make_some_data_sets_in_an_hour(site):
    tries = site.app.state.tries
    rule = "guest's data set from a network"
    assert all(tries.allow(rule, "a school's address") for _ in range(40 * 10))
    assert not tries.allow(rule, "a school's address")
    assert records.NETWORK_BYTES >= 40 * 12 * 2**20  # a file of the largest size each, with its facts


def test_the_data_of_a_visitor_ends_with_the_session_and_its_files_go(site, browser, clock):
    somebody, staying = browser(), browser().sign_up()
    address, kept = pasted(somebody), pasted(staying)
    cookie = next(cookie for cookie in somebody.client.cookies.jar if cookie.name.endswith("slopewise-guest"))
    assert cookie.expires is None  # the browser forgets it when it is closed
    assert folder_of(site, address).exists()
    clock.ahead = timedelta(hours=2, minutes=1)
    assert somebody.get(address).status_code == 404
    site.app.state.workshop.tidy()
    assert not folder_of(site, address).exists()
    assert folder_of(site, kept).exists()
    assert staying.get(kept).status_code == 200


def test_a_visitor_may_forget_all_or_take_it_into_an_account(site, browser):
    somebody = browser()
    address = pasted(somebody)
    assert somebody.post("/data/forget", page="/data").status_code == 303
    assert somebody.get(address).status_code == 404
    assert not folder_of(site, address).exists()
    address = pasted(somebody)
    somebody.sign_up()
    assert somebody.get(address).status_code == 404
    assert "before you logged in" in somebody.get("/data").text
    assert somebody.post("/data/keep", page="/data").status_code == 303
    assert somebody.get(address).status_code == 200
    assert "before you logged in" not in somebody.get("/data").text


def test_a_deleted_data_set_leaves_no_file_and_no_row(site, browser):
    somebody = browser()
    address = pasted(somebody)
    folder = folder_of(site, address)
    assert len(list(folder.iterdir())) == 3
    assert somebody.post(address, {"action": "delete"}, page=address).status_code == 303
    assert not folder.exists()
    assert somebody.get(address).status_code == 404
    with site.app.state.database.engine.connect() as connection:
        for table in ("data_runs", "data_sets"):
            text = str(connection.exec_driver_sql(f"SELECT * FROM {table}").fetchall())
            assert address.rpartition("/")[2].replace("-", "") not in text


def test_an_account_exports_its_data_sets_and_its_deletion_deletes_them(site, browser):
    somebody = browser().sign_up()
    address = pasted(somebody)
    trained(somebody, address)
    (found,) = somebody.get("/account/export.json").json()["data_sets"]
    assert found["name"] == "Flowers"
    assert found["text"].startswith("height,width,kind")
    assert found["trainings"][0]["state"] == "done"
    assert "<html" in found["trainings"][0]["report"]
    folder = folder_of(site, address)
    assert len(list(folder.iterdir())) == 4
    assert somebody.post("/account/delete", {"password": PASSWORD}, page="/account/delete").status_code == 303
    assert not folder.exists()


def test_cells_and_file_names_of_visitors_stand_in_no_table_of_the_database(site, browser):
    somebody = browser()
    secret = "gloxinia"
    pasted(somebody, FLOWERS.replace("rose", secret), "plain")
    with site.app.state.database.engine.connect() as connection:
        for table in ("data_runs", "data_sets", "data_guests"):
            assert secret not in str(connection.exec_driver_sql(f"SELECT * FROM {table}").fetchall())
    folder = site.app.state.workshop.shelf.folder
    assert folder.stat().st_mode & 0o077 == 0
    assert not [path for path in folder.rglob("*") if "plain" in path.name]


def test_the_playground_gets_a_data_set_as_plain_columns(site, browser):
    from starlette.requests import Request

    from slopewise.engine.errors import DataError
    from slopewise.site.datasets.visitors_data import data_set_of, names_of_data_sets

    somebody = browser()
    address = pasted(somebody)
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in somebody.client.cookies.jar)

    def request(cookie):
        headers = [(b"cookie", cookie.encode())]
        return Request({"type": "http", "app": site.app, "headers": headers, "method": "GET", "path": "/"})

    ((data_id, name),) = names_of_data_sets(request(cookies))
    assert (str(data_id), name) == (address.rpartition("/")[2], "Flowers")
    found = data_set_of(request(cookies), data_id)
    assert (found.rows, found.target) == (60, "kind")
    assert list(found.numbers) == ["height", "width"]
    assert found.labels["kind"][:2] == ["daisy", "rose"]
    assert found.numbers["width"][:3] == [0.0, 0.05, 0.1]
    with pytest.raises(DataError, match="no such data set"):
        data_set_of(request(""), data_id)


def test_a_file_without_a_row_is_swept_and_a_row_without_a_file_is_not_found(site, browser):
    shelf = site.app.state.workshop.shelf
    orphan = shelf.folder / "0123456789abcdef0123456789abcdef"
    orphan.mkdir()
    site.app.state.workshop.sweep()
    assert orphan.exists()  # it may just be in the making
    site.app.state.workshop.sweep(seconds=0)
    assert not orphan.exists()
    somebody = browser()
    address = pasted(somebody)
    (folder_of(site, address) / "facts.json").unlink()
    assert somebody.get(address).status_code == 404


def test_a_fingerprint_of_the_stored_file_is_that_of_the_given_one(site, browser, tmp_path):
    somebody = browser()
    content = (FLOWERS + "\n").encode()
    address = upload(somebody, "flowers.csv", content).headers["location"]
    (tmp_path / "flowers.csv").write_bytes(content)
    stored = next(folder_of(site, address).glob("table.*"))
    assert read_table(stored).fingerprint == read_table(tmp_path / "flowers.csv").fingerprint


def test_a_file_waits_no_longer_than_a_while_for_those_of_others(site, browser, monkeypatch):
    monkeypatch.setattr("slopewise.site.forms.UPLOAD_PATIENCE", 0.05)
    somebody, workshop = browser(), site.app.state.workshop
    free = workshop.uploads._value
    monkeypatch.setattr(workshop.uploads, "_value", 0)
    assert upload(somebody, "a.csv", FLOWERS.encode()).status_code == 503
    monkeypatch.setattr(workshop.uploads, "_value", free)
    assert upload(somebody, "a.csv", FLOWERS.encode()).status_code == 303
    assert workshop.uploads._value == free


# ---- the curve, live


def messages(text):
    """Return the id and the data of each message of a stream."""
    blocks = [
        dict(line.split(": ", 1) for line in block.splitlines()) for block in text.strip().split("\n\n")
    ]
    return [(int(block["id"]), json.loads(block["data"])) for block in blocks if "data" in block]


def started(somebody, **fields):
    address = pasted(somebody)
    fields = {"target": "kind", "epochs": "40", "hidden": "8", **fields}
    return somebody.post(f"{address}/runs", fields, page=address).headers["location"]


def test_the_curve_of_a_training_is_streamed_from_where_the_browser_was(site, browser, monkeypatch):
    somebody, workshop = browser(), site.app.state.workshop
    kept = {}
    start = type(workshop).start

    def watched(self, run, *rest):
        start(self, run, *rest)
        kept[run.id] = self.curve_of(run.id)

    monkeypatch.setattr(type(workshop), "start", watched)
    run = started(somebody)
    assert f'data-events="{run}/events"' in somebody.get(run).text
    answer = somebody.get(f"{run}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    found = messages(answer.text)
    points = [point for _, message in found for point in message["points"]]
    assert [point[0] for point in points] == list(range(1, len(points) + 1))
    assert len(points) >= 5
    assert points[-1][1] < points[0][1]
    count = 0
    for id, message in found:
        count += len(message["points"])
        assert id == count  # so that a broken stream goes on from there
    assert found[-1][1]["state"] == "done"
    assert "Test" in found[-1][1]["words"]
    [(run_id, curve)] = kept.items()
    monkeypatch.setattr(workshop, "_curves", {run_id: curve})
    again = messages(somebody.get(f"{run}/events", headers={"Last-Event-ID": "3"}).text)
    assert [point for _, message in again for point in message["points"]] == points[3:]
    assert again[-1][0] == len(points)
    monkeypatch.setattr(curve, "streams", 4)
    assert somebody.get(f"{run}/events").status_code == 429


def test_a_stream_is_for_the_owner_alone_and_says_how_a_training_ended(browser):
    somebody, other = browser(), browser()
    run = started(somebody, epochs="1000", lr="0.0001")
    assert other.get(f"{run}/events").status_code == 404
    assert somebody.get(f"{run}/events", headers={"Last-Event-ID": "many"}).status_code == 400
    somebody.post(run, {"action": "stop"}, page=run)
    [(_, message)] = messages(somebody.get(f"{run}/events").text)[-1:]
    assert (message["state"], message["words"]) == ("ended", "You ended it.")
