"""The curve of a training: who has some of its points is given the others, at once or when they come."""

import asyncio
import time

from slopewise.site.datasets.curve import Curve


def test_who_waits_is_woken_by_points_and_by_the_end():
    async def story():
        curve = Curve()
        waiting = [asyncio.create_task(curve.wait(0, 20)) for _ in range(2)]
        await asyncio.sleep(0)
        curve.add([[1, 0.5, None], [2, 0.4, None]])
        await asyncio.gather(*waiting)
        await curve.wait(1, 20)  # there is one more already
        last = asyncio.create_task(curve.wait(2, 20))
        await asyncio.sleep(0)
        assert not last.done()
        curve.close()
        await last
        await curve.wait(2, 20)  # none will come
        return curve.points

    began = time.monotonic()
    assert asyncio.run(story()) == [[1, 0.5, None], [2, 0.4, None]]
    assert time.monotonic() - began < 10


def test_who_waits_in_vain_goes_on_after_a_while():
    asyncio.run(asyncio.wait_for(Curve().wait(0, 0.01), 10))
