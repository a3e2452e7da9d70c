"""no_grad and enable_grad: nested, as decorators, in generators, threads and coroutines."""

import asyncio
import threading

import pytest

import slopewise as sw

W = sw.tensor([2.0], requires_grad=True)


def records():
    return (W * 2.0).requires_grad


def test_no_grad_and_enable_grad_nest():
    assert records()
    with sw.no_grad():
        assert not records()
        with sw.enable_grad():
            assert records()
            with sw.no_grad():
                assert not records()
            assert records()
        assert not records()
    assert records()
    assert sw.is_grad_enabled()


def test_one_context_manager_can_be_entered_again_inside_of_itself():
    quiet = sw.no_grad()
    with quiet:
        with quiet:
            assert not records()
        assert not records()
    assert records()


def test_an_error_inside_restores_the_mode():
    with pytest.raises(RuntimeError, match="mine"), sw.no_grad():
        raise RuntimeError("mine")
    assert records()


def test_as_a_decorator():
    @sw.no_grad()
    def quiet():
        """Be quiet."""
        return records()

    @sw.enable_grad()
    def loud():
        return records()

    assert not quiet()
    assert quiet.__doc__ == "Be quiet."
    with sw.no_grad():
        assert loud()
    assert records()


def test_a_decorated_function_that_calls_itself():
    @sw.no_grad()
    def depth(n):
        return [records()] + (depth(n - 1) if n else [])

    assert depth(3) == [False] * 4
    assert records()


def test_a_decorated_function_that_raises():
    @sw.no_grad()
    def broken():
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        broken()
    assert records()


def test_threads_begin_with_recording_on_and_do_not_see_each_other():
    seen = []
    with sw.no_grad():
        thread = threading.Thread(target=lambda: seen.append(records()))
        thread.start()
        thread.join()
    assert seen == [True]


def test_coroutines_do_not_see_each_other():
    async def quiet(entered, done):
        with sw.no_grad():
            entered.set()
            await done.wait()
            return records()

    async def loud(entered, done):
        await entered.wait()
        result = records()
        done.set()
        return result

    async def both():
        entered, done = asyncio.Event(), asyncio.Event()
        return await asyncio.gather(quiet(entered, done), loud(entered, done))

    assert asyncio.run(both()) == [False, True]


def test_inside_of_no_grad_leaves_can_be_made_and_tracked_later():
    with sw.no_grad():
        w = sw.tensor([1.0], requires_grad=True)
    (w * 3.0).sum().backward()
    assert w.grad.tolist() == [3.0]
