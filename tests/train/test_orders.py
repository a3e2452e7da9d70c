"""Orders made ahead are those that are made when they are asked for."""

import os

import numpy as np
import pytest

from slopewise.engine.random import permutation
from slopewise.train.orders import OrdersAhead


def test_each_order_is_that_of_its_address_whatever_was_made_ahead():
    orders = OrdersAhead()
    for rows, seed, epoch in [
        (50, 1, 0),
        (50, 1, 1),
        (50, 1, 2),
        (50, 2, 3),
        (40, 2, 4),
        (50, 1, 3),
        (50, 1, 3),
    ]:
        np.testing.assert_array_equal(orders.take(rows, seed, epoch), permutation(rows, seed, call=epoch))


def test_the_next_order_is_made_ahead():
    orders = OrdersAhead()
    orders.take(50, 1, 0)
    address, made = orders._ahead
    assert address == (50, 1, 1)
    assert orders.take(50, 1, 1) is made.result()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_makes_its_own():
    orders = OrdersAhead()
    orders.take(50, 1, 0)
    child = os.fork()
    if not child:
        same = (orders.take(50, 1, 1) == permutation(50, 1, call=1)).all()
        os._exit(0 if same else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_an_order_that_nobody_will_take_is_let_go():
    orders = OrdersAhead()
    first = orders.take(50, 1, 0)
    orders.forget()
    assert orders._ahead is None
    np.testing.assert_array_equal(orders.take(50, 1, 1), permutation(50, 1, call=1))
    assert len(first) == 50
