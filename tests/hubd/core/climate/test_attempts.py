from datetime import timedelta
from pathlib import Path

from hubd.core.climate.attempts import LIFE, draw, end, find, prune, write
from hubd.store.records import micros
from tests.support.clock import ManualClock
from tests.support.store import open_journal


async def test_a_call_ends_once(tmp_path: Path) -> None:
    clock = ManualClock()
    async with open_journal(tmp_path / "hub.db", clock) as journal:
        call, other = draw(), draw()
        await journal.transact(lambda view: write(view, "a", "SET_HVAC_MODE", call))
        await journal.transact(lambda view: write(view, "a", "SET_FAN_MODE", other))
        found = await find(journal.database, call)
        assert found is not None
        assert (found.device_id, found.action, found.at, found.ended_at) == (
            "a",
            "SET_HVAC_MODE",
            micros(clock.now()),
            None,
        )
        clock.step(60)
        await journal.transact(lambda view: end(view, ((call, "device_refused", "No."), (other, None, "Yes."))))
        await journal.transact(lambda view: end(view, ((call, None, ""), ("none", None, ""))))
        ended = [await find(journal.database, one) for one in (call, other)]
        assert [one and (one.error, one.message) for one in ended] == [("device_refused", "No."), (None, None)]
        assert [one and one.ended_at for one in ended] == [micros(clock.now())] * 2
        assert await find(journal.database, "none") is None


async def test_one_that_is_over_with_the_call(tmp_path: Path) -> None:
    async with open_journal(tmp_path / "hub.db") as journal:
        call = draw()
        await journal.transact(lambda view: write(view, "a", "PUSH_THERMOSTAT_PROGRAMS", call, is_over=True))
        found = await find(journal.database, call)
        assert found is not None
        assert (found.ended_at, found.error) == (found.at, None)


async def test_old_ones_are_dropped_unless_the_clock_may_be_what_is_wrong(tmp_path: Path) -> None:
    clock = ManualClock()
    async with open_journal(tmp_path / "hub.db", clock) as journal:
        old, young = draw(), draw()
        await journal.transact(lambda view: write(view, "a", "SET_HVAC_MODE", old))
        clock.step((LIFE + timedelta(seconds=1)).total_seconds())
        await journal.transact(prune)
        assert await find(journal.database, old) is not None
        await journal.transact(lambda view: write(view, "a", "SET_HVAC_MODE", young))
        await journal.transact(prune)
        assert (await find(journal.database, old), await find(journal.database, young) is None) == (None, False)
