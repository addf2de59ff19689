import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from hubd.driver.contract import check_outcome
from hubd.model import Command, LockDoor, LockSeen, Outcome, OutcomeKind, SimulateHubConnection, done
from hubd.model.errors import BusyError, StoreError
from hubd.store.retention import verify
from tests.support.clock import ManualClock, settle
from tests.support.hub import Execute, LiveHub, ScriptedDriver, bare_hub, live_hub, lock, lost, obey, until
from tests.support.store import refuse_writes, slow_disk, take_writes

DEADLINE = 15.0


class Gate:
    """Holds every command until it is opened."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.under_way: list[Command] = []
        self.cancelled: list[Command] = []
        self.most = 0

    async def __call__(self, command: Command) -> Outcome:
        self.under_way.append(command)
        self.most = max(self.most, len(self.under_way))
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.cancelled.append(command)
            raise
        finally:
            self.under_way.remove(command)
        return await obey(command)


def locks(*names: str, execute: Execute = obey) -> ScriptedDriver:
    return ScriptedDriver(*map(lock, names), execute=execute)


async def ended(live: LiveHub, request_id: str) -> Outcome:
    """Wait until a command is settled."""
    await until(lambda: request_id not in live.hub.journal.tables.open_commands)
    outcome = await live.outcome(request_id)
    assert outcome is not None
    check_outcome(outcome)
    return outcome


async def test_started_is_on_the_disk_before_the_driver_is_called(tmp_path: Path) -> None:
    seen: list[list[str]] = []

    async def look(_: Command) -> Outcome:
        rows = await live.hub.journal.select("type LIKE 'command.%'", ())
        seen.append([row.type for row in rows])
        return done()

    async with live_hub(tmp_path / "x.sqlite", locks("a", execute=look)) as live:
        request_id = await live.hub.submit(live.lock("a"), "me", wait_seconds=5)
        assert (await ended(live, request_id)).kind is OutcomeKind.DONE
        assert seen == [["command.accepted", "command.started"]]
        record = await live.hub.journal.command(request_id)
        assert record is not None
        assert (record.by, record.command) == ("me", live.lock("a"))


async def test_a_command_costs_two_commits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with live_hub(tmp_path / "x.sqlite") as live:
        commits = 0
        transact = live.hub.journal.database.transact

        async def counting(statements: Any) -> None:
            nonlocal commits
            commits += 1
            await transact(statements)

        monkeypatch.setattr(live.hub.journal.database, "transact", counting)
        for _ in range(3):
            await live.hub.submit(live.lock("a"), "me", wait_seconds=5)
        assert commits == 6


# -- deadlines


async def test_the_deadline_under_way_leaves_the_outcome_unknown(tmp_path: Path) -> None:
    gate = Gate()
    async with live_hub(tmp_path / "x.sqlite", locks("a", execute=gate)) as live:
        request_id = await live.hub.submit(live.lock("a"), "me")
        await until(lambda: gate.under_way)
        await live.clock.advance(DEADLINE - 0.1)
        assert gate.cancelled == []
        await live.clock.advance(0.2)
        outcome = await ended(live, request_id)
        assert (outcome.kind, outcome.code) == (OutcomeKind.SENT_UNCONFIRMED, "sent_unconfirmed")
        assert gate.cancelled == [live.lock("a")]


async def test_the_deadline_in_the_queue_sends_nothing(tmp_path: Path) -> None:
    gate = Gate()
    async with live_hub(tmp_path / "x.sqlite", locks("a", execute=gate)) as live:
        first = await live.hub.submit(live.lock("a"), "me", deadline_seconds=100)
        waiting = await live.hub.submit(live.unlock("a"), "me")
        assert live.hub.dispatcher.waiting("front", live.id_of("a")) == 1
        await live.clock.advance(DEADLINE + 0.1)
        outcome = await ended(live, waiting)
        assert (outcome.kind, outcome.code) == (OutcomeKind.EXPIRED, "deadline_exceeded")
        assert live.hub.dispatcher.waiting("front", live.id_of("a")) == 0
        record = await live.hub.journal.command(waiting)
        assert record is not None
        assert record.started_at is None
        gate.open.set()
        assert (await ended(live, first)).kind is OutcomeKind.DONE
        assert live.driver.commands == [live.lock("a")]


async def test_a_deadline_that_passes_while_the_start_is_written_sends_nothing(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite") as live:
        async with slow_disk(live.hub.journal):
            task = asyncio.create_task(live.hub.submit(live.lock("a"), "me", deadline_seconds=1))
            await settle()
            await live.clock.advance(2)
        assert (await ended(live, await task)).kind is OutcomeKind.EXPIRED
        assert live.driver.commands == []


async def test_a_driver_that_answers_when_it_is_cancelled_is_heard(tmp_path: Path) -> None:
    """It may know best how far it came."""

    async def stubborn(_: Command) -> Outcome:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return done("It was done just in time.")

    async with live_hub(tmp_path / "x.sqlite", locks("a", execute=stubborn)) as live:
        request_id = await live.hub.submit(live.lock("a"), "me")
        await until(lambda: live.driver.commands)
        await live.clock.advance(DEADLINE + 1)
        assert (await ended(live, request_id)).kind is OutcomeKind.DONE


# -- what cannot be sent


async def test_a_dead_hop_is_said_at_once_and_by_name(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite") as live:
        live.driver.living_port.hop_lost(lost("controller", "pulled", "The stick was pulled."))
        request_id = await live.hub.submit(live.lock("a"), "me")
        outcome = await live.outcome(request_id)
        assert outcome is not None
        assert (outcome.kind, outcome.code) == (OutcomeKind.UNREACHABLE, "hub_disconnected")
        assert outcome.detail == {"hop": "controller", "reason": "pulled"}
        assert live.driver.commands == []
        assert [row.type for row in await live.rows("command.accepted", "command.settled")] == [
            "command.accepted",
            "command.settled",
        ]


async def test_a_hop_that_dies_while_a_command_waits(tmp_path: Path) -> None:
    gate = Gate()
    async with live_hub(tmp_path / "x.sqlite", locks("a", execute=gate)) as live:
        await live.hub.submit(live.lock("a"), "me")
        waiting = await live.hub.submit(live.unlock("a"), "me")
        live.driver.living_port.hop_lost(lost("controller"))
        gate.open.set()
        assert (await ended(live, waiting)).kind is OutcomeKind.UNREACHABLE
        assert live.driver.commands == [live.lock("a")]


async def test_a_simulated_hop_can_be_switched_while_it_is_dead(tmp_path: Path) -> None:
    async def switch(_: Command) -> Outcome:
        return done("The hop was switched.")

    async with live_hub(tmp_path / "x.sqlite", locks("a", execute=switch)) as live:
        live.driver.living_port.hop_lost(lost())
        command = SimulateHubConnection(device_id=live.id_of("a"), native_id="a", connected=True)
        assert (await ended(live, await live.hub.submit(command, "me"))).kind is OutcomeKind.DONE


async def test_a_full_queue_is_said_and_keeps_nothing(tmp_path: Path) -> None:
    gate = Gate()
    async with live_hub(tmp_path / "x.sqlite", locks("a", "b", execute=gate)) as live:
        requests = [await live.hub.submit(live.lock("a"), "me") for _ in range(17)]
        with pytest.raises(BusyError) as caught:
            await live.hub.submit(live.lock("a"), "me")
        assert caught.value.code == "device_queue_full"
        assert "16 commands already wait" in caught.value.message
        assert len(live.hub.journal.tables.open_commands) == 17
        await live.hub.submit(live.lock("b"), "me")
        gate.open.set()
        for request_id in requests:
            assert (await ended(live, request_id)).kind is OutcomeKind.DONE
        await until(lambda: live.hub.dispatcher.under_way == 0)


# -- one thing at a time


async def test_one_thing_at_a_time_per_device_and_no_more_than_the_budget(tmp_path: Path) -> None:
    gate = Gate()
    names = [str(number) for number in range(6)]
    async with live_hub(tmp_path / "x.sqlite", locks(*names, execute=gate), budget=3) as live:
        requests = [await live.hub.submit(order(name), "me") for order in (live.lock, live.unlock) for name in names]
        await until(lambda: len(gate.under_way) == 3)
        await settle()
        assert {command.native_id for command in gate.under_way} == {"0", "1", "2"}
        gate.open.set()
        for request_id in requests:
            await ended(live, request_id)
        assert gate.most == 3
        per_device = {name: [type(c) for c in live.driver.commands if c.native_id == name] for name in names}
        assert all(kinds == [LockDoor, type(live.unlock("0"))] for kinds in per_device.values())


# -- drivers that misbehave


async def raise_value_error(_: Command) -> Outcome:
    raise ValueError("a defect")


async def raise_timeout(_: Command) -> Outcome:
    raise TimeoutError


async def raise_lost(_: Command) -> Outcome:
    raise lost("controller", "pulled", "The stick was pulled.")


async def be_cancelled_inside(_: Command) -> Outcome:
    future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    future.cancel()
    return await future


async def answer_none(_: Command) -> Outcome:
    return None  # type: ignore[return-value]  # as a defect would


async def answer_nonsense(_: Command) -> Outcome:
    return done(detail={"socket": object()})  # type: ignore[dict-item]  # likewise


@pytest.mark.parametrize(
    ("execute", "kind", "code", "noise"),
    [
        (raise_value_error, OutcomeKind.SENT_UNCONFIRMED, "driver_defect", "ValueError: a defect"),
        (raise_timeout, OutcomeKind.SENT_UNCONFIRMED, "driver_defect", "TimeoutError"),
        (answer_none, OutcomeKind.SENT_UNCONFIRMED, "driver_defect", "TypeError"),
        (answer_nonsense, OutcomeKind.SENT_UNCONFIRMED, "driver_defect", "TypeError"),
        (raise_lost, OutcomeKind.UNREACHABLE, "pulled", ""),
        (be_cancelled_inside, OutcomeKind.SENT_UNCONFIRMED, "connection_lost", ""),
    ],
)
async def test_whatever_a_driver_does_there_is_an_outcome(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, execute: Execute, kind: OutcomeKind, code: str, noise: str
) -> None:
    async with live_hub(tmp_path / "x.sqlite", locks("a", execute=execute)) as live:
        outcome = await ended(live, await live.hub.submit(live.lock("a"), "me"))
        assert (outcome.kind, outcome.code) == (kind, code)
        errors = [record for record in caplog.records if record.levelname == "ERROR"]
        assert len(errors) == bool(noise)
        assert noise in caplog.text
        live.driver.on_execute = obey
        assert (await ended(live, await live.hub.submit(live.lock("a"), "me"))).kind is OutcomeKind.DONE
        assert live.hub.health["front"].is_connected


# -- a disk that refuses


async def test_what_cannot_be_accepted_is_nowhere(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite", locks("a", "b")) as live:
        await refuse_writes(live.hub.journal.database)
        with pytest.raises(StoreError) as caught:
            await live.hub.submit(live.lock("a"), "me")
        assert caught.value.code == "read_only"
        assert (live.driver.commands, live.hub.dispatcher.under_way) == ([], 0)
        await take_writes(live.hub.journal.database)
        assert (await ended(live, await live.hub.submit(live.lock("a"), "me"))).kind is OutcomeKind.DONE
        assert len(live.driver.commands) == 1


async def test_what_cannot_be_recorded_as_started_is_not_sent(tmp_path: Path) -> None:
    gate = Gate()
    async with live_hub(tmp_path / "x.sqlite", locks("a", execute=gate)) as live:
        running = await live.hub.submit(live.lock("a"), "me", deadline_seconds=100)
        waiting = await live.hub.submit(live.unlock("a"), "me", deadline_seconds=100)
        await refuse_first_start(live)
        gate.open.set()
        outcome = await ended(live, waiting)
        assert (outcome.kind, outcome.code) == (OutcomeKind.EXPIRED, "not_recorded")
        assert (await ended(live, running)).kind is OutcomeKind.DONE
        assert live.driver.commands == [live.lock("a")]


async def refuse_first_start(live: LiveHub) -> None:
    """Have SQLite refuse the next `command.started`, and nothing else."""
    sql = (
        "CREATE TRIGGER refuse BEFORE INSERT ON journal WHEN NEW.type = 'command.started'"
        " BEGIN SELECT RAISE(ABORT, 'refused'); END"
    )
    await live.hub.journal.database.transact([(sql, [()])])


async def test_an_end_that_cannot_be_recorded_is_recorded_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gate = Gate()
    async with live_hub(tmp_path / "x.sqlite", locks("a", execute=gate)) as live:
        request_id = await live.hub.submit(live.lock("a"), "me", deadline_seconds=100)
        await until(lambda: gate.under_way)
        await refuse_writes(live.hub.journal.database)
        gate.open.set()
        await until(lambda: "not recorded yet" in caplog.text)
        assert await live.outcome(request_id) is None
        await take_writes(live.hub.journal.database)
        await settle()
        await live.clock.advance(1.1)
        assert (await ended(live, request_id)).kind is OutcomeKind.DONE
        assert len(live.driver.commands) == 1
        assert (await verify(live.hub.journal.database)).broken_at is None


async def test_a_dead_disk_does_not_hold_up_the_end_of_the_hub(tmp_path: Path) -> None:
    gate = Gate()
    async with asyncio.timeout(5):
        async with live_hub(tmp_path / "x.sqlite", locks("a", execute=gate)) as live:
            await live.hub.submit(live.lock("a"), "me")
            await until(lambda: gate.under_way)
            await refuse_writes(live.hub.journal.database)
            gate.open.set()
            await live.hub.dispatcher.drain(0.05)
            assert live.hub.dispatcher.under_way == 1


async def test_a_key_that_cannot_be_written_leaves_no_command(tmp_path: Path) -> None:
    """What goes along with the acceptance shares its fate."""
    sql = "INSERT INTO cursors(name, seq) VALUES(?, ?)"

    def also(name: str) -> Callable[[str], tuple[str, tuple[str | int, ...]]]:
        return lambda request_id: (sql, (name, len(request_id)))

    async with live_hub(tmp_path / "x.sqlite") as live:
        await live.hub.submit(live.lock("a"), "me", also=also("once"))
        with pytest.raises(StoreError):
            await live.hub.submit(live.lock("a"), "me", also=also("once"))
        assert await live.hub.journal.database.read("SELECT name, seq FROM cursors") == [("once", 36)]
        await until(lambda: live.hub.dispatcher.under_way == 0)
        assert len(live.driver.commands) == 1
        assert len(await live.rows("command.accepted")) == 1


# -- callers who leave


async def test_a_caller_who_leaves_does_not_take_the_order_back(tmp_path: Path) -> None:
    gate = Gate()
    async with live_hub(tmp_path / "x.sqlite", locks("a", execute=gate)) as live:
        caller = asyncio.create_task(live.hub.submit(live.lock("a"), "me", wait_seconds=10))
        await until(lambda: gate.under_way)
        caller.cancel()
        await asyncio.wait({caller})
        gate.open.set()
        await until(lambda: live.hub.dispatcher.under_way == 0)
        assert gate.cancelled == []
        assert [row.type for row in await live.rows("command.settled")] == ["command.settled"]


@pytest.mark.parametrize("busy", [False, True])
async def test_a_caller_who_leaves_before_it_is_accepted_strands_nothing(tmp_path: Path, *, busy: bool) -> None:
    gate = Gate()
    async with live_hub(tmp_path / "x.sqlite", locks("a", execute=gate)) as live:
        if busy:
            await live.hub.submit(live.unlock("a"), "me")
        async with slow_disk(live.hub.journal):
            caller = asyncio.create_task(live.hub.submit(live.lock("a"), "me"))
            await settle()
            caller.cancel()
            await asyncio.wait({caller})
        gate.open.set()
        await until(lambda: live.hub.dispatcher.under_way == 0)
        assert live.hub.journal.tables.open_commands == {}
        assert live.driver.commands[-1] == live.lock("a")
        ends = await live.rows("command.settled")
        assert len(ends) == 1 + busy


async def test_an_acceptance_that_fails_after_its_caller_left_is_no_noise(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with live_hub(tmp_path / "x.sqlite") as live:
        await refuse_writes(live.hub.journal.database)
        async with slow_disk(live.hub.journal):
            caller = asyncio.create_task(live.hub.submit(live.lock("a"), "me"))
            await settle()
            caller.cancel()
            await asyncio.wait({caller})
        await until(lambda: live.hub.dispatcher.under_way == 0)
        await settle()
        assert "never retrieved" not in caplog.text
        assert live.driver.commands == []


async def test_the_answer_is_held_for_so_long_and_no_longer(tmp_path: Path) -> None:
    gate = Gate()
    async with live_hub(tmp_path / "x.sqlite", locks("a", execute=gate)) as live:
        held = asyncio.create_task(live.hub.submit(live.lock("a"), "me", wait_seconds=10))
        await until(lambda: gate.under_way)
        await live.clock.advance(9.9)
        assert not held.done()
        await live.clock.advance(0.2)
        request_id = await held
        assert await live.outcome(request_id) is None
        gate.open.set()
        assert (await ended(live, request_id)).kind is OutcomeKind.DONE


# -- stopping


async def test_a_stopping_hub_takes_nothing_new_and_gives_the_rest_time(tmp_path: Path) -> None:
    gate = Gate()
    async with live_hub(tmp_path / "x.sqlite", locks("a", execute=gate)) as live:
        request_id = await live.hub.submit(live.lock("a"), "me")
        draining = asyncio.create_task(live.hub.dispatcher.drain(5))
        await settle()
        with pytest.raises(BusyError) as caught:
            await live.hub.submit(live.unlock("a"), "me")
        assert caught.value.code == "stopping"
        gate.open.set()
        await draining
        assert (await ended(live, request_id)).kind is OutcomeKind.DONE


async def test_after_a_crash_an_order_is_settled_and_never_sent_again(tmp_path: Path) -> None:
    path, gate = tmp_path / "x.sqlite", Gate()
    async with live_hub(path, locks("a", execute=gate)) as live:
        started = await live.hub.submit(live.lock("a"), "me", deadline_seconds=100)
        waiting = await live.hub.submit(live.unlock("a"), "me", deadline_seconds=100)
        await until(lambda: gate.under_way)
    again = ScriptedDriver(lock("a"))
    async with live_hub(path, again) as live:
        outcomes = {name: await live.outcome(name) for name in (started, waiting)}
        kinds = [(o.kind, o.code) for o in outcomes.values() if o is not None]
        assert kinds == [
            (OutcomeKind.SENT_UNCONFIRMED, "hub_restarted"),
            (OutcomeKind.EXPIRED, "hub_restarted"),
        ]
        assert again.commands == []
        rows = await live.rows()
        second_start = max(row.seq for row in rows if row.type == "hub.started")
        settled = [row.seq for row in rows if row.type == "command.settled"]
        found = [row.seq for row in rows if row.type == "hop.back" and row.seq > second_start]
        assert second_start < min(settled)
        assert not found or max(settled) < min(found)
        await live.driver.living_port.publish(LockSeen(native_id="a", locked=True))
        assert [row.event.reached for row in await live.rows("command.resolved")] == [True]  # type: ignore[union-attr]


async def test_a_hub_without_the_driver_any_more_settles_all_the_same(tmp_path: Path) -> None:
    path, gate = tmp_path / "x.sqlite", Gate()
    async with live_hub(path, locks("a", execute=gate)) as live:
        request_id = await live.hub.submit(live.lock("a"), "me")
        await until(lambda: gate.under_way)
    async with bare_hub(path, ManualClock()) as hub:
        record = await hub.journal.command(request_id)
        assert record is not None
        assert record.outcome is not None
        assert record.outcome.kind is OutcomeKind.SENT_UNCONFIRMED
