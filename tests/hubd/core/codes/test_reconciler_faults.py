"""What can go wrong between the hub and a lock: it is silent, refuses, lies; the hub, its disk or its clock fails."""

import asyncio
from pathlib import Path

import pytest

from hubd.core.codes.reconciler import EXCHANGE_SECONDS
from hubd.core.codes.wishes import Change
from hubd.model import (
    ClearCode,
    CodeSeen,
    Command,
    KeypadCapability,
    Outcome,
    ReachabilitySeen,
    ReadCode,
    SetCode,
    done,
)
from hubd.model.event import CodeFailed
from tests.hubd.core.codes.watched import Watched
from tests.sims.locks import Fault, LockNetwork
from tests.support.clock import ManualClock
from tests.support.locks import FIRST_READ, LockSite, lock_site
from tests.support.sources import Witnesses
from tests.support.store import refuse_writes, take_writes

HOUR = 3600.0
DAY = 24 * HOUR
PIN, OTHER = "48213077", "59104826"


def hold(site: LockSite, native_id: str = "101") -> dict[str, str]:
    made = site.codes.plan(site.id_of(native_id))
    assert made is not None
    return {code_id: hold.code for code_id, hold in made.holds.items()}


# -- the hub dies in the midst of it


@pytest.mark.parametrize("fault", ["deaf", "mute"])
async def test_a_hub_that_died_while_it_set_a_code_looks_first_and_sets_nothing_twice(
    tmp_path: Path, fault: Fault
) -> None:
    """`deaf`: the lock had not obeyed yet; `mute`: it had."""
    path, network, clock = tmp_path / "hub.db", Watched(), ManualClock()
    async with lock_site(path, network, clock=clock) as site:
        await site.wait(FIRST_READ)
        code = await site.wish(pin=PIN)
        network.locks["101"].fault = fault
        await site.wait(3)
        assert [placed.state for c in site.codes.of(site.id_of()) if (placed := c.placement)] == ["sent"]
    assert site.lock().pins() == ({} if fault == "deaf" else {1: PIN})
    network.locks["101"].fault = "none"
    network.kinds()
    async with lock_site(path, network, clock=clock) as site:
        await site.wait(5)
        assert await site.status(code) == "set"
        assert network.kinds() == (["read", "set"] if fault == "deaf" else ["read"])
        assert (site.lock().pins(), site.lock().sets) == ({1: PIN}, 1)


@pytest.mark.parametrize("fault", ["deaf", "mute"])
async def test_a_hub_that_died_while_it_took_a_code_off_looks_first(tmp_path: Path, fault: Fault) -> None:
    path, network, clock = tmp_path / "hub.db", Watched(), ManualClock()
    async with lock_site(path, network, clock=clock) as site:
        await site.wait(FIRST_READ)
        code = await site.wish(pin=PIN)
        await site.wait(5)
        network.locks["101"].fault = fault
        await site.codes.delete(code.code_id, "test")
        await site.wait(3)
    network.locks["101"].fault = "none"
    network.kinds()
    async with lock_site(path, network, clock=clock) as site:
        await site.wait(5)
        assert await site.status(code) == "gone"
        assert network.kinds() == (["read", "clear"] if fault == "deaf" else ["read"])
        assert site.lock().pins() == {}


async def test_a_code_that_ended_while_the_hub_was_off_is_taken_off_first_thing(tmp_path: Path) -> None:
    path, network, clock = tmp_path / "hub.db", Watched(), ManualClock()
    async with lock_site(path, network, clock=clock) as site:
        await site.wait(FIRST_READ)
        code = await site.wish(pin=PIN, starts_at=site.at(), ends_at=site.at(hours=1))
        await site.wait(5)
        assert await site.status(code) == "set"
    await clock.advance(2 * HOUR)
    network.kinds()
    async with lock_site(path, network, clock=clock) as site:
        await site.wait(2)
        assert (network.kinds()[0], site.lock().pins()) == ("clear", {})
        assert await site.status(code) == "gone"


async def test_a_stopping_hub_begins_nothing_and_lets_what_is_under_way_end(tmp_path: Path) -> None:
    async with lock_site(tmp_path / "hub.db") as site:
        await site.wait(FIRST_READ)
        code = await site.wish(pin=PIN)
        await site.wait(0.5)
        later = await site.wish(pin=OTHER)
        site.hub.dispatcher.is_closing = True
        draining = asyncio.create_task(site.codes.reconciler.drain(5))
        await site.wait(2)
        await draining
        assert (await site.status(code), await site.status(later)) == ("set", "setting")


# -- locks


async def test_a_dead_lock_holds_no_other(tmp_path: Path) -> None:
    network = Watched(3)
    async with lock_site(tmp_path / "hub.db", network) as site:
        await site.wait(FIRST_READ)
        network.locks["101"].fault = "deaf"
        await network.connect("102", online=False)
        network.kinds()
        codes = [await site.wish(name, pin=PIN) for name in network.locks]
        await site.wait(12)
        assert [await site.status(code) for code in codes] == ["setting", "setting", "set"]
        assert {name for name, _, _ in network.asked} == {"101", "103"}, "a lock that is away is not asked"
        await network.connect("102", online=True)
        await site.wait(10)
        assert await site.status(codes[1]) == "set"


@pytest.mark.parametrize("fault", ["deaf", "mute", "refuse"])
async def test_a_lock_that_fails_is_asked_ever_less_and_never_given_up(tmp_path: Path, fault: Fault) -> None:
    network = Watched()
    async with lock_site(tmp_path / "hub.db", network) as site:
        await site.wait(FIRST_READ)
        network.locks["101"].fault = fault
        network.kinds()
        code = await site.wish(pin=PIN)
        await site.wait(HOUR)
        assert 4 <= len(network.kinds()) <= 14
        failures = [row for row in await site.hub.journal.rows(0, 10_000) if isinstance(row.event, CodeFailed)]
        assert len(failures) == 1
        network.locks["101"].fault = "none"
        await site.wait(1.1 * 1800 + 30)
        assert await site.status(code) == "set"
        assert site.lock().pins() == {1: PIN}


async def test_an_exchange_that_never_ends_is_given_up(tmp_path: Path) -> None:
    network = Watched(2)
    async with lock_site(tmp_path / "hub.db", network) as site:
        await site.wait(FIRST_READ)
        network.is_hanging = True
        code = await site.wish(pin=PIN)
        await site.wait(EXCHANGE_SECONDS - 1)
        assert len(hold(site)) == 0
        await site.wait(2)
        assert hold(site) == {code.code_id: "retry_later"}
        trouble = site.codes.get(code.code_id).trouble
        assert trouble is not None
        assert "did not answer within 12 s" in trouble.message
        network.is_hanging = False
        await site.wait(30)
        assert await site.status(code) == "set"


async def test_a_driver_with_a_defect_leaves_the_hub_alive(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: Command) -> Outcome:
        raise ValueError("a defect")

    network = Watched()
    async with lock_site(tmp_path / "hub.db", network) as site:
        await site.wait(FIRST_READ)
        network.instead = fail
        code = await site.wish(pin=PIN)
        await site.wait(60)
        assert 2 <= caplog.text.count("ValueError: a defect") <= 6
        network.instead = None
        await site.wait(400)
        assert await site.status(code) == "set"


async def test_a_lock_that_does_not_say_what_its_slots_hold_is_not_worn_out(tmp_path: Path) -> None:
    network = Watched()
    network.instead = lambda command: done() if isinstance(command, ReadCode) else None
    async with lock_site(tmp_path / "hub.db", network, sweep_hours=5) as site:
        code = await site.wish(pin=PIN)
        await site.wait(0.5 * HOUR)
        assert len(network.kinds()) <= 8
        assert hold(site) == {code.code_id: "unknown_slots"}
        network.instead = None
        await site.wait(0.6 * HOUR)
        assert await site.status(code) == "set"


async def test_a_code_on_a_silent_lock_is_taken_off_all_the_same(tmp_path: Path) -> None:
    network = Watched()
    async with lock_site(tmp_path / "hub.db", network, sweep_hours=0.1) as site:
        await site.wait(FIRST_READ)
        code = await site.wish(pin=PIN)
        await site.wait(5)
        network.instead = lambda command: done() if isinstance(command, ReadCode) else None
        await site.wait(300)
        await site.codes.delete(code.code_id, "test")
        network.instead = lambda command: done() if isinstance(command, ReadCode | ClearCode) else None
        await site.wait(3)
        assert await site.status(code) == "gone"


async def test_a_lock_that_stores_another_pin_is_found_out_and_not_filled_up(tmp_path: Path) -> None:
    """S16: it takes the first four digits only, and says that all is well."""
    network = Watched()
    async with lock_site(tmp_path / "hub.db", network) as site:
        await site.wait(FIRST_READ)
        network.instead = lambda command: cut_short(network, command)
        code = await site.wish(pin=PIN)
        await site.wait(900)
        assert await site.status(code) == "setting"
        assert len(site.codes.of(site.id_of())) == 1, "the hub takes its own work for somebody else's"
        trouble = site.codes.get(code.code_id).trouble
        assert trouble is not None
        assert (trouble.code, PIN in trouble.message) == ("failed_to_set_on_device", False)
        network.instead = None
        await site.codes.delete(code.code_id, "test")
        await site.wait(5)
        assert await site.status(code) == "gone"


def cut_short(network: LockNetwork, command: Command) -> Outcome | None:
    if not isinstance(command, SetCode):
        return None
    secrets = network.living_port.secrets
    ref = secrets.seal(secrets.reveal(command.pin_ref)[:4])
    return done(seen=(CodeSeen(native_id=command.native_id, slot=command.slot, is_used=True, pin_ref=ref),))


async def test_a_lock_that_answers_with_stars_is_not_written_in_a_loop(tmp_path: Path) -> None:
    network = Watched(1, KeypadCapability(slots=4, tells_pins=False))
    async with lock_site(tmp_path / "hub.db", network, sweep_hours=0.1) as site:
        await site.wait(FIRST_READ)
        code = await site.wish(pin=PIN)
        await site.wait(0.2 * HOUR)
        assert (await site.status(code), site.lock().sets) == ("set", 1)
        placed = site.codes.get(code.code_id).placement
        assert placed is not None
        assert not placed.is_verified
        await site.codes.update(code.code_id, new_pin(OTHER), "test")
        await site.wait(0.2 * HOUR)
        assert (await site.status(code), site.lock().pins(), site.lock().sets) == ("set", {1: OTHER}, 2)


def new_pin(pin: str) -> Change:
    return Change(pin=pin)


async def test_what_is_urgent_goes_before_looking(tmp_path: Path) -> None:
    network = Watched(12)
    async with lock_site(tmp_path / "hub.db", network) as site:
        await site.wait(3)
        before = len(network.asked)
        code = await site.wish("112", pin=PIN)
        await site.wait(4)
        asked = network.asked[before:]
        assert ("112", "set", 1) in asked[:4] or ("112", "read", 1) in asked[:3]
        assert await site.status(code) == "set"


# -- the box


async def test_with_another_boxs_key_the_hub_says_so_and_lives(tmp_path: Path) -> None:
    """A database from a backup, without its secret.key."""
    path, network, clock = tmp_path / "hub.db", Watched(), ManualClock()
    async with lock_site(path, network, clock=clock) as site:
        await site.wait(FIRST_READ)
        code = await site.wish(pin=PIN, starts_at=site.at(minutes=5), ends_at=site.at(hours=9))
    async with lock_site(path, network, clock=clock, secret_key=bytes(32)) as site:
        await site.wait(400)
        trouble = site.codes.get(code.code_id).trouble
        assert trouble is not None
        assert "secret.key" in trouble.message
        assert site.lock().pins() == {}


async def test_what_cannot_be_written_down_is_not_sent(tmp_path: Path) -> None:
    network = Watched()
    async with lock_site(tmp_path / "hub.db", network) as site:
        await site.wait(FIRST_READ)
        await site.quiet()
        network.kinds()
        sql = (
            'CREATE TRIGGER refuse BEFORE INSERT ON access_codes WHEN instr(NEW.body, \'"state":"sent"\') > 0'
            " BEGIN SELECT RAISE(ABORT, 'refused'); END"
        )
        await site.hub.journal.database.transact([(sql, [()])])
        code = await site.wish(pin=PIN)
        await site.wait(12)
        assert (network.kinds(), site.lock().pins()) == ([], {})
        await site.hub.journal.database.transact([("DROP TRIGGER refuse", [()])])
        await site.wait(10)
        assert (await site.status(code), network.kinds()) == ("set", ["set"])


async def test_a_disk_that_refuses_is_complained_of_once_until_it_takes_something(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with lock_site(tmp_path / "hub.db", Watched(3)) as site:
        await site.wait(3 * FIRST_READ)
        sql = (
            'CREATE TRIGGER refuse BEFORE INSERT ON access_codes WHEN instr(NEW.body, \'"state":"sent"\') > 0'
            " BEGIN SELECT RAISE(ABORT, 'refused'); END"
        )
        for _ in range(2):
            await site.hub.journal.database.transact([(sql, [()])])
            caplog.clear()
            codes = [await site.wish(native_id) for native_id in ("101", "102", "103")]
            await site.wait(600)
            assert [m for m in caplog.messages if "cannot be recorded" in m] == [caplog.messages[0]]
            await site.hub.journal.database.transact([("DROP TRIGGER refuse", [()])])
            await site.wait(30)
            assert [await site.status(code) for code in codes] == ["set"] * 3


async def test_an_end_that_cannot_be_written_down_is_written_later(tmp_path: Path) -> None:
    network = Watched()
    async with lock_site(tmp_path / "hub.db", network) as site:
        await site.wait(FIRST_READ)
        network.kinds()
        code = await site.wish(pin=PIN)
        await site.wait(0.5)
        await refuse_writes(site.hub.journal.database)
        await site.clock.advance(3)
        await take_writes(site.hub.journal.database)
        await site.wait(10)
        assert (await site.status(code), network.kinds()) == ("set", ["set"])


@pytest.mark.parametrize("step", [-DAY, -600.0, 600.0, DAY])
async def test_a_clock_in_doubt_has_no_lock_asked_without_a_pause(tmp_path: Path, step: float) -> None:
    network = Watched()
    async with lock_site(tmp_path / "hub.db", network, sources=Witnesses(), sweep_hours=10) as site:
        await site.wait(2 * FIRST_READ)
        network.locks["101"].fault = "refuse"
        site.clock.step(step)
        code = await site.wish(pin=PIN)
        network.kinds()
        await site.wait(590)
        assert not site.codes.now().is_trusted
        asked = network.kinds()
        assert asked.count("read") <= 1
        assert asked.count("set") in {5, 4}
        assert hold(site) == {code.code_id: "retry_later"}


async def test_in_doubt_starts_wait_and_ends_happen(tmp_path: Path) -> None:
    async with lock_site(tmp_path / "hub.db", sources=Witnesses()) as site:
        await site.wait(2 * FIRST_READ)
        ending = await site.wish(pin=PIN, starts_at=site.at(), ends_at=site.at(minutes=5))
        coming = await site.wish(pin=OTHER, starts_at=site.at(minutes=5), ends_at=site.at(days=3))
        await site.wait(5)
        assert await site.status(ending) == "set"
        site.clock.step(3 * HOUR)
        await site.wait(120)
        assert (await site.status(ending), await site.status(coming)) == ("set", "unset")
        await site.wait(200)
        assert (site.lock().pins(), hold(site)[coming.code_id]) == ({}, "clock_not_trusted")
        await site.wait(400)
        assert site.codes.now().is_trusted
        await site.wait(10)
        assert (site.lock().pins(), await site.status(coming)) == ({1: OTHER}, "set")


async def test_a_code_that_ends_while_its_setting_rests_is_taken_off_without_waiting_for_that(tmp_path: Path) -> None:
    async with lock_site(tmp_path / "hub.db") as site:
        await site.wait(FIRST_READ)
        site.lock().fault = "mute"  # it stores the code and does not say so
        code = await site.wish(pin="482915", starts_at=site.at(), ends_at=site.at(hours=1))
        await site.wait(3590)
        assert site.codes.get(code.code_id).trouble is not None
        site.lock().fault = "none"  # and nobody tells
        await site.wait(10 + 75)
        assert (await site.status(code), site.lock().pins()) == ("gone", {})


async def test_a_lock_that_does_not_answer_is_asked_each_minute_to_drop_a_code_that_is_over(tmp_path: Path) -> None:
    async with lock_site(tmp_path / "hub.db") as site:
        await site.wait(FIRST_READ)
        code = await site.wish(pin="482915", starts_at=site.at(), ends_at=site.at(minutes=10))
        await site.wait(590)
        site.lock().fault = "deaf"
        await site.wait(10 + 1200)
        assert await site.status(code) == "removing"
        before = site.network.exchanges
        await site.wait(600)
        assert 7 <= site.network.exchanges - before <= 12
        site.lock().fault = "none"
        await site.wait(70)  # what is under way is given up first, and then a pause passes
        assert (await site.status(code), site.lock().pins()) == ("gone", {})


async def test_a_code_that_is_over_is_taken_off_though_the_disk_is_full(tmp_path: Path) -> None:
    async with lock_site(tmp_path / "hub.db") as site:
        await site.wait(FIRST_READ)
        code = await site.wish(pin=PIN, starts_at=site.at(), ends_at=site.at(minutes=10))
        stays = await site.wish(pin=OTHER)
        await site.wait(590)
        assert len(site.lock().pins()) == 2
        await refuse_writes(site.hub.journal.database)
        await site.clock.advance(3600)
        assert list(site.lock().pins().values()) == [OTHER]
        assert site.lock().clears == 1, "once is enough"
        assert site.codes.status(site.codes.get(code.code_id)) == "removing", "nothing is claimed that is not written"
        await take_writes(site.hub.journal.database)
        await site.wait(60)
        assert (await site.status(code), await site.status(stays)) == ("gone", "set")


async def test_a_code_that_was_moved_to_later_is_not_taken_off_unless_that_can_be_written_down(tmp_path: Path) -> None:
    """It begins before the disk takes anything: what was written of it by then says that it is there."""
    async with lock_site(tmp_path / "hub.db") as site:
        await site.wait(FIRST_READ)
        code = await site.wish(pin=PIN)
        await site.wait(10)
        site.lock().fault = "refuse"
        await site.codes.update(code.code_id, Change(starts_at=site.at(minutes=5), ends_at=site.at(minutes=60)), "me")
        await site.wait(3)
        site.lock().fault = "none"
        await refuse_writes(site.hub.journal.database)
        await site.clock.advance(600)
        await take_writes(site.hub.journal.database)
        await site.wait(60)
        assert (await site.status(code), list(site.lock().pins().values())) == ("set", [PIN])


async def test_a_lock_that_says_again_and_again_that_it_is_there_rests_all_the_same(tmp_path: Path) -> None:
    async with lock_site(tmp_path / "hub.db") as site:
        await site.wait(FIRST_READ)
        site.lock().fault = "refuse"
        await site.wish(pin=PIN)
        before = site.network.exchanges
        for _ in range(60):
            await site.network.living_port.publish(ReachabilitySeen(native_id="101", online=True))
            await site.wait(10)
        assert site.network.exchanges - before <= 12
