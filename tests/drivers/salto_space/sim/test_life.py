import asyncio

from hubd_drivers.salto_space.sim.builders import big_site, demo_site
from hubd_drivers.salto_space.sim.life import Life
from hubd_drivers.salto_space.sim.state import Site

from tests.drivers.salto_space.sim.asking import SUMMER
from tests.support.clock import ManualClock


async def lived(seed: int, minutes: float) -> Site:
    clock = ManualClock(SUMMER)
    site = demo_site(now=clock.now)
    running = asyncio.create_task(Life(site, clock, seconds=20, seed=seed).run())
    await clock.advance(minutes * 60)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return site


async def test_doors_are_used_left_open_and_shut_and_old_events_arrive() -> None:
    site = await lived(1, 120)
    events = site.trail.events
    assert {event.what.operation for event in events} >= {17, 84, 62, 63}
    assert 150 < len(events) < 400
    times = [event.what.at for event in events]
    assert times != sorted(times), "offline locks tell late"
    assert [event.id for event in events] == sorted(event.id for event in events)


async def test_it_is_the_same_for_the_same_seed() -> None:
    one, same, other = await lived(1, 20), await lived(1, 20), await lived(2, 20)
    assert one.trail.events == same.trail.events != other.trail.events


def test_nothing_happens_where_nobody_is() -> None:
    clock = ManualClock(SUMMER)
    site = big_site(0, 0, now=clock.now)
    life = Life(site, clock)
    for _ in range(50):
        life.step()
    assert len(site.trail) == 0
