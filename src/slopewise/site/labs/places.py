"""Places: how many processes of visitors work at a time, and the one queue for them.

Runs of labs, live trainings, trainings on own data and the reading of what visitors bring all take a place
here, so the number of places bounds them together. A visitor has one place at a time; whatever else they
asked for waits for its own turn.

Who comes first is served before who has had a turn already, one after the other where both wait: so a run of
a tenth of a second does not stand behind long trainings, and no training starves. Long work asks `is_over`
now and then, and steps back when others wait. All of it happens in the server's event loop.

A visitor without an account is a browser, and a program can be as many browsers as it likes: a cookie is made
up, or asked for, in no time. So what bounds it is its network. As many as a class has pupils stand in the
queue; who is beyond that in a network comes in at its end as soon as one of them has left it, so that others
never wait for more of one network than for a class. Within a network nothing tells such a browser from a
pupil; who has an account is counted by that instead, and waits for no more than one network of made-up ones.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType

from slopewise.engine.errors import SlopewiseError

A_CLASS = 40  # so many of one network stand in the queue; the others come behind it


class LabBusyError(SlopewiseError):
    """There is no place or no time for it now; later there may be."""


@dataclass(frozen=True)
class Asker:
    """Who asks for a place.

    Attributes
    ----------
    visitor : str
        An account, or a browser; "" is the site itself.
    network : str
        Where a browser is; "" for what is bounded by an account.
    """

    visitor: str
    network: str = ""


SITE = Asker("")  # the site itself, which may have several places


class Ticket:
    """A piece of work in the queue, or at its place.

    Attributes
    ----------
    place : int
        The place in the queue, from 1; 0 is at work, or gone.
    since : float
        When it came, in seconds since 1970.
    """

    def __init__(
        self,
        places: Places,
        asker: Asker,
        moved: Callable[[int], None] | None,
        kind: str,
        most: int,
        since: float,
    ) -> None:
        self.asker, self.kind, self.most, self.since = asker, kind, most, since
        self.place = 0
        self.had_turn = False
        self._places, self._moved = places, moved
        self._began = 0.0
        self._granted: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def __enter__(self) -> Ticket:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.leave()

    async def wait(self, patience: float | None = None) -> bool:
        """Wait for the place; False if `leave` took this out of the queue.

        Raises
        ------
        LabBusyError
            If it takes longer than `patience`, in seconds.
        """
        try:
            return await asyncio.wait_for(self._granted, patience)
        except TimeoutError:
            self.leave()
            raise LabBusyError("all places are taken; please try again in a moment") from None
        except asyncio.CancelledError:
            self.leave()
            raise

    def is_over(self, turn: float) -> bool:
        """Tell whether others should have the place: somebody new, or after `turn` seconds anybody."""
        return self._places._is_wanted(self, self._places.clock() - self._began > turn)

    def step_back(self) -> None:
        """Give the place to others, and go to the end of the queue; `wait` for the next turn."""
        self._granted = asyncio.get_running_loop().create_future()
        self._places._step_back(self)

    def leave(self) -> None:
        """Give the place back, or leave the queue; more than once is as good as once."""
        self._places._leave(self)
        if not self._granted.done():
            self._granted.set_result(False)

    def _grant(self, now: float) -> None:
        self._began, self.had_turn = now, True
        self._granted.set_result(True)
        self._move(0)

    def _move(self, place: int) -> None:
        if place != self.place:
            self.place = place
            if self._moved is not None:
                self._moved(place)


class Places:
    """The places of one server.

    Parameters
    ----------
    count : int
        How many work at a time.
    waiting, by_network, by_visitor : int
        How many may wait in all, from one network (a class is behind one address), and of one visitor.
    """

    def __init__(
        self,
        count: int,
        waiting: int = 200,
        by_network: int = 100,
        by_visitor: int = 10,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.count, self.clock = count, clock
        self.most_waiting, self.most_by_network, self.most_by_visitor = waiting, by_network, by_visitor
        self._first: deque[Ticket] = deque()  # who has had no turn
        self._beyond: deque[Ticket] = deque()  # nor have these, and more than a class stand before them
        self._again: deque[Ticket] = deque()
        self._working: set[Ticket] = set()
        self._started: Counter[str] = Counter()  # by kind
        self._is_again_next = False

    def __len__(self) -> int:
        """How many wait."""
        return len(self._first) + len(self._beyond) + len(self._again)

    @property
    def working(self) -> int:
        """How many are at work."""
        return len(self._working)

    def enter(
        self,
        asker: Asker,
        moved: Callable[[int], None] | None = None,
        *,
        kind: str = "",
        most: int = 0,
        is_bounded: bool = True,
        since: float = 0.0,
    ) -> Ticket:
        """Take a place, or go to the end of the queue.

        Parameters
        ----------
        asker : Asker
        moved : callable
            Is told each new place in the queue.
        kind, most : str and int
            Work of a kind keeps its process when it steps back; `most` of it are begun at a time.
        is_bounded : bool
            Whether a full queue refuses it; what is bounded elsewhere always gets in.
        since : float
            When it came to the queue of another process, in seconds since 1970; it keeps its turn.

        Raises
        ------
        LabBusyError
            If the queue is full.
        """
        if is_bounded:
            self._check_room(asker)
        ticket = Ticket(self, asker, moved, kind, most, since or time.time())
        if self._has_room(asker.network):
            self._first.insert(sum(other.since <= ticket.since for other in self._first), ticket)
        else:
            self._beyond.append(ticket)
        self._serve()
        return ticket

    def _check_room(self, asker: Asker) -> None:
        new = [ticket.asker for ticket in (*self._first, *self._beyond)]
        if not new and self.working < self.count:
            return
        here = sum(other.network == asker.network for other in new)
        if len(new) >= self.most_waiting or (asker.network and here >= self.most_by_network):
            raise LabBusyError("all places are taken and the queue is full; please try again in a moment")
        if asker.visitor and sum(other.visitor == asker.visitor for other in new) >= self.most_by_visitor:
            raise LabBusyError("you wait for much already; please try again when some of it has come")

    def _has_room(self, network: str) -> bool:
        """Tell whether fewer of a network stand in the queue than a class has pupils."""
        return not network or sum(other.asker.network == network for other in self._first) < A_CLASS

    def _let_in(self, network: str) -> None:
        """Let the next of a network come in at the end of the queue, if one has left it."""
        for ticket in self._beyond:
            if ticket.asker.network == network and self._has_room(network):
                self._beyond.remove(ticket)
                self._first.append(ticket)
                return

    def _is_wanted(self, holder: Ticket, by_anybody: bool) -> bool:
        lines = (self._first, self._beyond, *([self._again] if by_anybody else []))
        return any(self._may_start(ticket, holder) for line in lines for ticket in line)

    def _step_back(self, ticket: Ticket) -> None:
        self._working.remove(ticket)
        self._again.append(ticket)
        self._serve(ticket)

    def _leave(self, ticket: Ticket) -> None:
        for line in (self._first, self._beyond, self._again, self._working):
            if ticket in line:
                line.remove(ticket)
                break
        else:
            return
        self._let_in(ticket.asker.network)
        if ticket.had_turn:
            self._started[ticket.kind] -= 1
        ticket._move(0)
        self._serve()

    def _serve(self, last: Ticket | None = None) -> None:
        """Fill the places that are free; who has just stepped back comes after whoever else may start."""
        while len(self._working) < self.count:
            ready = [ticket for ticket in self._order() if self._may_start(ticket)]
            if not ready:
                break
            ticket = next((other for other in ready if other is not last), ready[0])
            next(line for line in (self._first, self._beyond, self._again) if ticket in line).remove(ticket)
            self._let_in(ticket.asker.network)
            self._is_again_next = not ticket.had_turn
            self._started[ticket.kind] += not ticket.had_turn
            self._working.add(ticket)
            ticket._grant(self.clock())
        for place, ticket in enumerate(list(self._order()), 1):
            ticket._move(place)

    def _order(self) -> Iterator[Ticket]:
        first, again = deque(self._first), deque(self._again)
        is_again_next = self._is_again_next
        while first or again:
            line = again if again and (is_again_next or not first) else first
            is_again_next = line is first
            yield line.popleft()
        yield from list(self._beyond)

    def _may_start(self, ticket: Ticket, besides: Ticket | None = None) -> bool:
        visitor = ticket.asker.visitor
        if visitor and any(other.asker.visitor == visitor for other in self._working if other is not besides):
            return False
        return not ticket.kind or ticket.had_turn or self._started[ticket.kind] < ticket.most
