"""A class behind one address: all of it runs labs at once, and everybody gets theirs."""

import threading
import time

SLUG, PUPILS, OWN = "gradient-descent", 30, 5


def test_thirty_pupils_behind_one_address_run_labs_at_once_and_each_sees_theirs(browser, take_all_places):
    """Each waits with a place of their own; nobody is refused, throttled or forgotten.

    Then most of them follow the teacher's link, which takes the place of what they asked for.
    """
    school = "10.95.95.95"
    pupils = [browser(school) for _ in range(PUPILS)]
    rates = [f"0.{101 + number}" for number in range(PUPILS)]
    found = [None] * PUPILS

    def run(number):
        query = {"query": f"lr={rates[number]}"}
        found[number] = pupils[number].send(f"/labs/{SLUG}/runs", query, page="/log-in")

    def run_all():
        threads = [threading.Thread(target=run, args=(number,)) for number in range(PUPILS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [answer.status_code for answer in found] == [200] * PUPILS

    def look(number):
        address = f"/labs/{SLUG}/frame?lr={rates[number]}"
        answer = pupils[number].get(address, headers={"accept": "application/json"})
        if answer.status_code == 503:  # this machine was too busy: the button is pressed again
            run(number)
            return answer.json()
        assert answer.status_code == 200, answer.text
        return answer.json()

    with take_all_places():
        run_all()
        assert sorted(look(number)["place"] for number in range(PUPILS)) == list(range(1, PUPILS + 1))
        assert browser(school).get(f"/lessons/{SLUG}").status_code == 200  # lessons do not wait for labs
        rates[OWN:] = ["0.2"] * (PUPILS - OWN)
        run_all()
        stand = [look(number) for number in range(PUPILS)]
        assert {answer["state"] for answer in stand} == {"waiting"}
        assert {answer["place"] for answer in stand} == set(range(1, OWN + 2))
    until = time.monotonic() + 60
    for number in range(PUPILS):
        while (answer := look(number))["state"] != "shown":
            assert time.monotonic() < until, f"pupil {number} waits"
            time.sleep(0.05)
        assert answer["address"].endswith(f"lr={rates[number]}")
