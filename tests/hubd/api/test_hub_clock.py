from datetime import timedelta
from pathlib import Path

from tests.scenarios.client import client_of
from tests.support.clock import ManualClock
from tests.support.site import running_site
from tests.support.sources import Witnesses


async def test_a_person_confirms_a_clock_that_nothing_proves(tmp_path: Path) -> None:
    clock = ManualClock()
    async with running_site(tmp_path, clock=clock, sources=Witnesses()) as site:
        answer = await client_of(site).ok("/hub/clock")
        assert (answer["is_trusted"], answer["doubt"]) == (True, None)
    clock.step(3600)
    async with running_site(tmp_path, clock=clock, sources=Witnesses("boot-2")) as site:
        client = client_of(site)
        answer = await client.ok("/hub/clock")
        assert answer["is_trusted"] is False
        assert "hubd clock confirm" in answer["doubt"]
        answer = await client.ok("/hub/clock/confirm")
        assert (answer["is_trusted"], answer["doubt"]) == (True, None)
        assert answer["now"] == clock.now().isoformat().replace("+00:00", "Z")
    clock.step(-timedelta(days=4000).total_seconds())
    async with running_site(tmp_path, clock=clock, sources=Witnesses("boot-3")) as site:
        assert (await client_of(site).refused("/hub/clock/confirm"))["type"] == "clock_unset"
