"""Places: who works, who waits where, and whose turn is next."""

import asyncio

import pytest

from slopewise.site.labs.places import SITE, Asker, LabBusyError, Places

ADA, BOB, CYN, DAN = (Asker(name, "a school") for name in ("ada", "bob", "cyn", "dan"))


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def within(work):
    """Run a function in an event loop, in which tickets can be made."""

    async def whole():
        result = work()
        return await result if asyncio.iscoroutine(result) else result

    return asyncio.run(whole())


def places_of(*tickets):
    return [ticket.place for ticket in tickets]


def test_so_many_work_and_the_others_see_their_place():
    def work():
        places = Places(2)
        tickets = [places.enter(asker) for asker in (ADA, BOB, CYN, DAN)]
        assert places_of(*tickets) == [0, 0, 1, 2]
        assert (places.working, len(places)) == (2, 2)
        tickets[0].leave()
        tickets[0].leave()
        assert places_of(*tickets) == [0, 0, 0, 1]
        tickets[3].leave()
        assert (places.working, len(places)) == (2, 0)

    within(work)


def test_a_new_place_in_the_queue_is_told_once():
    def work():
        places, told = Places(1), []
        first, second = places.enter(ADA), places.enter(BOB)
        places.enter(CYN, told.append)
        second.leave()
        first.leave()
        assert told == [2, 1, 0]

    within(work)


def test_a_visitor_has_one_place_at_a_time_and_others_pass_by():
    def work():
        places = Places(2)
        mine, again, other = places.enter(ADA), places.enter(ADA), places.enter(BOB)
        assert places_of(mine, again, other) == [0, 1, 0]
        mine.leave()
        assert again.place == 0
        assert places.working == 2
        assert places.enter(SITE).place == 1
        other.leave()
        again.leave()
        site = places.enter(SITE)
        assert (site.place, places.working) == (0, 2)  # the site itself may have both

    within(work)


def test_who_is_new_comes_before_who_had_a_turn_but_nobody_starves():
    def work():
        clock = Clock()
        places = Places(1, clock=clock)
        long, other = places.enter(ADA), places.enter(BOB)
        assert long.is_over(2.0)  # somebody new waits
        long.step_back()
        assert not other.is_over(2.0)  # only somebody who had a turn does
        clock.now = 2.5
        assert other.is_over(2.0)
        new = [places.enter(CYN), places.enter(DAN)]
        assert places_of(long, *new) == [1, 2, 3]  # in turns: the last one served was new
        other.step_back()
        assert places_of(long, other, *new) == [0, 2, 1, 3]
        long.step_back()
        assert places_of(new[0], other, new[1], long) == [0, 1, 2, 3]

    within(work)


def test_ones_own_wish_that_waits_counts_as_somebody_new():
    def work():
        places = Places(2)
        long, quick = places.enter(ADA), places.enter(ADA)
        assert long.is_over(2.0)
        long.step_back()
        assert places_of(quick, long) == [0, 1]
        quick.leave()
        assert long.place == 0

    within(work)


def test_only_so_much_of_a_kind_is_begun():
    def work():
        places = Places(1)
        fits = [places.enter(asker, kind="fit", most=1) for asker in (ADA, BOB)]
        run = places.enter(CYN)
        assert fits[0].is_over(2.0)  # for the run, not for the other training
        fits[0].step_back()
        assert run.place == 0
        run.leave()
        assert places_of(*fits) == [0, 1]
        assert not fits[0].is_over(0.0)
        fits[0].leave()
        assert fits[1].place == 0

    within(work)


def test_who_makes_up_visitors_holds_up_others_no_longer_than_a_class_does():
    """A hundred browsers of one network wait; forty of them go before somebody from elsewhere."""

    def work():
        places = Places(1)
        places.enter(Asker("holder")).leave()
        many = [places.enter(Asker(f"made up {number}", "one network")) for number in range(101)]
        assert places_of(*many) == list(range(101))
        with pytest.raises(LabBusyError):
            places.enter(Asker("made up once more", "one network"))
        other = places.enter(Asker("somebody", "another network"))
        assert places_of(*many[39:43], other) == [39, 40, 42, 43, 41]
        for number, ticket in enumerate(many[:41]):
            assert places_of(ticket, other) == [0, 41 - number]
            ticket.leave()
        assert places_of(other, *many[41:]) == list(range(61))
        other.leave()
        for ticket in many[41:]:
            assert ticket.place == 0
            ticket.leave()
        assert (len(places), places.working) == (0, 0)

    within(work)


def test_who_has_an_account_waits_for_no_more_of_their_network_than_a_class_and_is_not_crowded_out():
    """Accounts are not made up in no time, so they are not counted with the browsers around them."""

    def work():
        places = Places(1)
        places.enter(Asker("holder"))
        for number in range(100):
            places.enter(Asker(f"made up {number}", "a school"))
        with pytest.raises(LabBusyError):
            places.enter(Asker("a pupil without an account", "a school"))
        pupils = [places.enter(Asker(f"account {number}")) for number in range(50)]
        assert places_of(*pupils) == list(range(41, 91))

    within(work)


def test_one_visitor_fills_no_queue():
    def work():
        places = Places(1, by_visitor=3)
        places.enter(Asker("holder"))
        mine = [places.enter(Asker("account 1")) for _ in range(3)]
        with pytest.raises(LabBusyError, match="you wait for much already"):
            places.enter(Asker("account 1"))
        assert places.enter(Asker("account 2")).place == 4
        mine[0].leave()
        assert places.enter(Asker("account 1")).place == 4
        assert [places.enter(SITE).place for _ in range(4)] == [5, 6, 7, 8]

    within(work)


def test_a_full_queue_refuses_in_all_and_by_network_and_says_the_way_out():
    def work():
        places = Places(1, waiting=3, by_network=2)
        places.enter(ADA)
        for name in "ab":
            places.enter(Asker(name, "one network"))
        with pytest.raises(LabBusyError, match="try again"):
            places.enter(Asker("c", "one network"))
        places.enter(Asker("d", "another network"))
        with pytest.raises(LabBusyError, match="queue is full"):
            places.enter(Asker("e", "a third network"))
        assert places.enter(Asker("f", "one network"), is_bounded=False).place == 4

    within(work)


def test_who_waits_is_woken_and_who_loses_patience_leaves():
    async def work():
        places = Places(1)
        first, second = places.enter(ADA), places.enter(BOB)
        with pytest.raises(LabBusyError):
            await second.wait(0.01)
        assert len(places) == 0
        third = places.enter(CYN)
        waiting = asyncio.create_task(third.wait())
        await asyncio.sleep(0)
        first.leave()
        assert await waiting
        fourth = places.enter(DAN)
        waiting = asyncio.create_task(fourth.wait())
        await asyncio.sleep(0)
        fourth.leave()
        assert not await waiting

    within(work)


def test_who_is_cancelled_gives_the_place_back_even_if_it_was_just_granted():
    async def work():
        places = Places(1)
        first, second = places.enter(ADA), places.enter(BOB)
        waiting = asyncio.create_task(second.wait())
        await asyncio.sleep(0)
        first.leave()  # grants it
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert places.working == 0

    within(work)
