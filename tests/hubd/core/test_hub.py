import asyncio
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from hubd.core.hub import Hub, Instance
from hubd.core.policy import Policy
from hubd.driver import Port
from hubd.model import (
    BatterySeen,
    Command,
    LockSeen,
    Outcome,
    OutcomeKind,
    ReachabilitySeen,
    SimulateKeypadCodeEntry,
    SimulateKeypadEdit,
    done,
    ids,
    sent_unconfirmed,
)
from hubd.model.errors import BusyError, NotFoundError, StoreError
from hubd.model.event import CommandResolved, DeviceEdited, LockChanged
from tests.support.clock import ManualClock, settle
from tests.support.hub import (
    HUB_ID,
    LiveHub,
    ScriptedDriver,
    bare_hub,
    live_hub,
    lock,
    lost,
    site,
    stoppable,
    thermostat,
    until,
)
from tests.support.store import open_journal, refuse_writes, slow_disk, take_writes

LOCKED, UNLOCKED = True, False


def bolt(locked: bool | None, method: Any = None, native_id: str = "a") -> LockSeen:  # noqa: FBT001 - it reads as the reading does
    return LockSeen(native_id=native_id, locked=locked, method=method)


async def about(live: LiveHub, native_id: str = "a") -> list[str]:
    """Return the types of the rows about a device."""
    return [row.type for row in await live.rows() if row.device_id == live.id_of(native_id)]


# -- devices


async def test_a_device_is_found_once_and_has_its_id_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    for _ in range(2):
        async with live_hub(path) as live:
            assert live.id_of("a") == ids.device_id(HUB_ID, "front", "a")
            assert await live.driver.living_port.found(lock("a")) == live.id_of("a")
            record = live.hub.devices[live.id_of("a")]
            assert (record.device.instance, record.is_managed, record.state.online) == ("front", True, True)
            assert await about(live) == ["device.found", "device.connected"]
            assert live.hub.is_reachable(record)


async def test_first_readings_come_with_the_device(tmp_path: Path) -> None:
    driver = ScriptedDriver(lock("a"), lock("b"))
    driver.first_readings["a"] = (
        ReachabilitySeen(native_id="a", online=False, reason="It sleeps."),
        bolt(LOCKED),
        BatterySeen(native_id="a", level=0.9),
    )
    async with live_hub(tmp_path / "x.sqlite", driver) as live:
        asleep = live.hub.devices[live.id_of("a")]
        assert (asleep.state.online, asleep.state.locked, asleep.state.offline_reason) == (False, True, "It sleeps.")
        assert not live.hub.is_reachable(asleep)
        assert await about(live, "a") == ["device.found"]
        assert await about(live, "b") == ["device.found", "device.connected"]


async def test_a_kind_that_nobody_asked_for_is_there_and_not_managed(tmp_path: Path) -> None:
    driver = ScriptedDriver(lock("a"), thermostat("t"))
    async with live_hub(tmp_path / "x.sqlite", driver, policy=Policy(("lock",))) as live:
        managed = {r.device.description.native_id: r.is_managed for r in live.hub.devices.values()}
        assert managed == {"a": True, "t": False}
        public = {row.device_id: row.public for row in await live.rows("device.found")}
        assert public == {live.id_of("a"): "device.added", live.id_of("t"): None}


async def test_a_device_that_the_site_leaves_out_from_now_on(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    async with live_hub(path):
        pass
    async with live_hub(path, policy=Policy(("lock",), exclude_ids=("a",))) as live:
        assert not live.hub.devices[live.id_of("a")].is_managed
        assert (await live.public()).count("device.converted_to_unmanaged") == 1
        await live.driver.living_port.found(lock("a"))
        assert (await live.public()).count("device.converted_to_unmanaged") == 1
    async with live_hub(path) as live:
        assert not live.hub.devices[live.id_of("a")].is_managed, "what was left out is not taken back unasked"


async def test_a_device_that_describes_itself_anew(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite") as live:
        port, device_id = live.driver.living_port, live.id_of("a")
        await port.found(replace(lock("a"), firmware="2.0"))
        await port.found(replace(lock("a"), firmware="2.0"))
        await port.found(replace(lock("a"), firmware="2.0", name="Suite"))
        described = await live.rows("device.described")
        assert [row.public for row in described] == [None, "device.name_changed"]
        edit = DeviceEdited(nickname="Penthouse", by="me")
        await live.hub.journal.transact(lambda view: view.emit(edit, device_id=device_id))
        await port.found(replace(lock("a"), name="Room 1"))
        assert [row.public for row in await live.rows("device.described")][2:] == [None]
        record = live.hub.devices[device_id]
        assert (record.name, record.device.description.name) == ("Penthouse", "Room 1")


async def test_removed_once_and_back_with_all_that_people_set(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite") as live:
        port, device_id = live.driver.living_port, live.id_of("a")
        edit = DeviceEdited(nickname="Suite", is_managed=False, by="me")
        await live.hub.journal.transact(lambda view: view.emit(edit, device_id=device_id))
        await port.removed("a", "It was excluded.")
        await port.removed("a", "It was excluded.")
        await port.removed("never", "It was excluded.")
        assert len(await live.rows("device.removed")) == 1
        gone = live.hub.devices[device_id]
        assert gone.removed_at is not None
        assert not live.hub.is_reachable(gone)
        with pytest.raises(NotFoundError) as caught:
            await live.hub.submit(live.lock("a"), "me")
        assert caught.value.code == "device_not_found"
        await port.publish(bolt(LOCKED))
        assert live.hub.devices[device_id].state.locked is None
        assert await port.found(lock("a")) == device_id
        back = live.hub.present(device_id)
        assert (back.nickname, back.is_managed, back.state.online) == ("Suite", False, True)


async def test_a_removal_whose_reason_was_cut_in_half_is_one(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite") as live:
        await live.driver.living_port.removed("a", "\ud83d was excluded.")
        assert live.hub.devices[live.id_of("a")].state.offline_reason == "? was excluded."


async def test_a_device_of_another_kind_under_an_old_id_is_a_new_one(tmp_path: Path) -> None:
    driver = ScriptedDriver(lock("a"))
    async with live_hub(tmp_path / "x.sqlite", driver, policy=Policy(("lock",))) as live:
        device_id = live.id_of("a")
        edit = DeviceEdited(nickname="Front door", by="k")
        await live.hub.journal.transact(lambda view: view.emit(edit, instance="front", device_id=device_id))
        await driver.living_port.publish(LockSeen(native_id="a", locked=True))
        await driver.living_port.removed("a", "It was excluded.")
        await driver.living_port.found(thermostat("a"))
        record = live.hub.devices[device_id]
        assert (record.name, record.is_managed, record.state.locked) == ("Climate a", False, None)
        assert (record.removed_at, record.state.online) == (None, True)


async def test_a_device_that_returns_though_the_site_leaves_it_out_now(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    async with live_hub(path) as live:
        await live.driver.living_port.removed("a", "It was excluded.")
    async with live_hub(path, policy=Policy(("lock",), exclude_kinds=("lock",))) as live:
        assert not live.hub.devices[live.id_of("a")].is_managed
        assert [row.public for row in await live.rows("device.found")] == ["device.added", None]


async def test_a_reading_of_a_device_that_was_never_found(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with live_hub(tmp_path / "x.sqlite") as live:
        await live.driver.living_port.publish(bolt(LOCKED, "manual", "stranger"), bolt(LOCKED, "manual"))
        assert [row.type for row in await live.rows("lock.changed")] == ["lock.changed"]
        assert "never announced" in caplog.text
        assert len(live.hub.devices) == 1


async def test_two_instances_with_the_same_native_id_have_two_devices(tmp_path: Path) -> None:
    async with bare_hub(tmp_path / "x.sqlite", ManualClock()) as hub:
        for name in ("front", "back"):
            driver = ScriptedDriver(lock("a"))
            hub.add(Instance(name, driver.manifest(), driver, Policy(("lock",))))
        await until(lambda: len(hub.devices) == 2)
        assert {record.device.instance for record in hub.devices.values()} == {"front", "back"}


@pytest.mark.parametrize("unsound", [bolt(LOCKED, "magic"), BatterySeen(native_id="a", level=float("nan"))], ids=repr)
async def test_a_driver_that_hands_over_nonsense_hurts_itself_alone(tmp_path: Path, unsound: Any) -> None:
    """And the hub starts again on the same store."""

    async def publish(port: Port) -> None:
        await port.publish(unsound)

    path = tmp_path / "x.sqlite"
    async with live_hub(path) as live:
        bad = ScriptedDriver(lock("b"))
        bad.on_start = publish
        live.hub.add(Instance("bad", bad.manifest(), bad, Policy(("lock",))))
        await until(lambda: live.hub.health["bad"].error is not None)
        error = live.hub.health["bad"].error
        assert error is not None
        assert error.code == "driver_defect"
        assert live.hub.health["front"].is_connected
        with pytest.raises(TypeError):
            await live.driver.living_port.found(replace(lock("c"), name="\ud800"))
        await live.hub.submit(live.lock("a"), "me", wait_seconds=5)
    async with live_hub(path) as live:
        assert len(live.hub.devices) == 1


# -- orders and what the bolt says


async def test_an_order_to_a_device_whose_driver_is_gone_from_the_config(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    async with live_hub(path) as live:
        order = live.lock("a")
    async with bare_hub(path, ManualClock()) as hub:
        with pytest.raises(NotFoundError) as caught:
            await hub.submit(order, "me")
        assert caught.value.code == "driver_not_configured"
        assert not hub.is_reachable(hub.devices[order.device_id])


@pytest.mark.parametrize("report", ["before the outcome", "with the outcome", "after the outcome", "before and with"])
async def test_an_order_moves_the_bolt_once_in_the_journal(tmp_path: Path, report: str) -> None:
    async def execute(_: Command) -> Outcome:
        if "before" in report:
            await live.driver.living_port.publish(bolt(UNLOCKED))
        seen = (bolt(UNLOCKED, "remote"),) if "with" in report else ()
        return done(seen=seen)

    driver = ScriptedDriver(lock("a"), execute=execute)
    driver.first_readings["a"] = (bolt(LOCKED),)
    async with live_hub(tmp_path / "x.sqlite", driver) as live:
        request_id = await live.hub.submit(live.unlock("a"), "me", wait_seconds=5)
        await live.driver.living_port.publish(bolt(UNLOCKED, "remote"))
        await live.driver.living_port.publish(bolt(UNLOCKED))
        events = [row.event for row in await live.rows("lock.changed")]
        told = None if report == "after the outcome" else request_id
        assert events == [LockChanged(locked=False, method="remote", request_id=told)]
        assert (await live.public()).count("lock.unlocked") == 1
        assert live.hub.devices[live.id_of("a")].state.locked is False


async def unconfirmed(_: Command) -> Outcome:
    return sent_unconfirmed("No answer came.")


def resolved(rows: Any) -> list[tuple[str, bool]]:
    return [(row.event.request_id, row.event.reached) for row in rows if isinstance(row.event, CommandResolved)]


async def test_an_unknown_end_is_decided_by_the_next_reading_once(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite", ScriptedDriver(lock("a"), lock("b"), execute=unconfirmed)) as live:
        port = live.driver.living_port
        request_id = await live.hub.submit(live.unlock("a"), "me", wait_seconds=5)
        await port.publish(bolt(UNLOCKED, native_id="b"))
        assert resolved(await live.rows()) == []
        await port.publish(bolt(UNLOCKED))
        await port.publish(bolt(LOCKED))
        assert resolved(await live.rows()) == [(request_id, True)]
        record = await live.hub.journal.command(request_id)
        assert record is not None
        assert record.outcome is not None
        assert record.outcome.kind is OutcomeKind.SENT_UNCONFIRMED
        assert record.resolution is not None
        assert record.resolution.reached


async def test_a_reading_on_the_heels_of_an_unknown_end_decides_it(tmp_path: Path) -> None:
    """The report comes while the end is being written: it must not fall between the two."""
    gate = asyncio.Event()

    async def execute(_: Command) -> Outcome:
        await gate.wait()
        return sent_unconfirmed("No answer came.")

    async with live_hub(tmp_path / "x.sqlite", ScriptedDriver(lock("a"), execute=execute)) as live:
        request_id = await live.hub.submit(live.unlock("a"), "me")
        await until(lambda: live.driver.commands)
        async with slow_disk(live.hub.journal):
            gate.set()
            await settle()
            report = asyncio.create_task(live.driver.living_port.publish(bolt(UNLOCKED)))
            await settle()
        await report
        assert resolved(await live.rows()) == [(request_id, True)]


async def test_a_decision_that_the_disk_refuses_is_taken_by_the_next_reading(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite", ScriptedDriver(lock("a"), execute=unconfirmed)) as live:
        request_id = await live.hub.submit(live.unlock("a"), "me", wait_seconds=5)
        await refuse_writes(live.hub.journal.database)
        with pytest.raises(StoreError):
            await live.driver.living_port.publish(bolt(UNLOCKED))
        await take_writes(live.hub.journal.database)
        await live.driver.living_port.publish(bolt(UNLOCKED))
        assert resolved(await live.rows()) == [(request_id, True)]


async def test_where_a_hand_left_the_bolt_says_nothing_about_an_order(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite", ScriptedDriver(lock("a"), execute=unconfirmed)) as live:
        await live.hub.submit(live.unlock("a"), "me", wait_seconds=5)
        await live.driver.living_port.publish(bolt(LOCKED, "keycode"))
        await live.driver.living_port.publish(bolt(LOCKED), bolt(UNLOCKED))
        assert resolved(await live.rows()) == []


async def test_a_later_order_takes_the_bolts_word_for_itself(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite", ScriptedDriver(lock("a"), execute=unconfirmed)) as live:
        await live.hub.submit(live.unlock("a"), "me", wait_seconds=5)
        second = await live.hub.submit(live.lock("a"), "me", wait_seconds=5)
        await live.driver.living_port.publish(bolt(LOCKED))
        assert resolved(await live.rows()) == [(second, True)]


async def test_the_word_of_the_bolt_after_a_later_order_that_was_confirmed(tmp_path: Path) -> None:
    """The lock may well have been unlocked by the first order: nobody can know any more."""
    async with live_hub(tmp_path / "x.sqlite", ScriptedDriver(lock("a"), execute=unconfirmed)) as live:
        await live.hub.submit(live.unlock("a"), "me", wait_seconds=5)

        async def confirm(_: Command) -> Outcome:
            return done(seen=(bolt(LOCKED, "remote"),))

        live.driver.on_execute = confirm
        await live.hub.submit(live.lock("a"), "me", wait_seconds=5)
        await live.driver.living_port.publish(bolt(LOCKED))
        assert resolved(await live.rows()) == []


async def test_an_order_that_was_never_sent_leaves_the_word_to_the_one_before(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite", ScriptedDriver(lock("a"), execute=unconfirmed)) as live:
        first = await live.hub.submit(live.unlock("a"), "me", wait_seconds=5)
        live.driver.living_port.hop_lost(lost("controller"))
        await live.hub.submit(live.lock("a"), "me", wait_seconds=5)
        live.driver.living_port.hop_back("controller")
        await live.driver.living_port.found(lock("a"), bolt(UNLOCKED))
        assert resolved(await live.rows()) == [(first, True)]


# -- PINs


@pytest.mark.parametrize("end", ["done", "refused", "full", "lost", "unwritten"])
async def test_a_pin_is_forgotten_however_its_command_ends(tmp_path: Path, end: str) -> None:
    gate, pins = asyncio.Event(), list[str]()

    async def execute(command: Command) -> Outcome:
        if isinstance(command, SimulateKeypadCodeEntry):
            pins.append(live.driver.living_port.secrets.reveal(command.pin_ref))
        await gate.wait()
        return done()

    async with live_hub(tmp_path / "x.sqlite", ScriptedDriver(lock("a"), execute=execute)) as live:
        ref = live.hub.vault.seal("4711")
        command = SimulateKeypadCodeEntry(device_id=live.id_of("a"), native_id="a", pin_ref=ref)
        match end:
            case "refused":
                live.driver.living_port.hop_lost(lost("controller"))
            case "full":
                for _ in range(17):
                    await live.hub.submit(live.lock("a"), "me", deadline_seconds=100)
            case "unwritten":
                await refuse_writes(live.hub.journal.database)
            case _:
                pass
        if end in {"full", "unwritten"}:
            with pytest.raises((BusyError, StoreError)):
                await live.hub.submit(command, "me")
        else:
            await live.hub.submit(command, "me")
        if end in {"done", "lost"}:
            await until(lambda: pins)
        if end == "lost":
            await live.clock.advance(20)
        gate.set()
        await until(lambda: repr(live.hub.vault) == "Vault(0 sealed)")
        assert pins == (["4711"] if end in {"done", "lost"} else [])


async def test_the_pin_of_a_change_at_the_keypad_is_forgotten(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite") as live:
        names = {"device_id": live.id_of("a"), "native_id": "a"}
        for pin_ref in (live.hub.vault.seal("4711"), None):
            await live.hub.submit(SimulateKeypadEdit(**names, slot=1, pin_ref=pin_ref), "me", wait_seconds=5)
        await until(lambda: repr(live.hub.vault) == "Vault(0 sealed)")


async def test_what_a_driver_wraps_is_bound_to_its_instance(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite") as live:
        wrapped = live.driver.living_port.secrets.wrap(b"key of the lock")
        assert live.hub.site.sealer.open(wrapped, "driver/front") == b"key of the lock"


# -- starting


async def test_a_hub_that_cannot_write_does_not_start(tmp_path: Path) -> None:
    async with open_journal(tmp_path / "x.sqlite") as journal:
        await refuse_writes(journal.database)
        async with stoppable() as group:
            with pytest.raises(StoreError):
                await Hub(site(tmp_path), journal, ManualClock(), group).start()


def test_a_site_shows_nothing_of_its_key() -> None:
    assert repr(site(Path())) == "Site('Test site')"
