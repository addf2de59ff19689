"""What the hub does by itself on a device: turns, beside orders, and an outcome whatever the driver does."""

import asyncio
from pathlib import Path

import pytest

from hubd.core.dispatcher import Errand
from hubd.core.lanes import Priority
from hubd.model import Command, LockDoor, Outcome, OutcomeKind, ReadCode, done, rejected
from tests.support.clock import settle
from tests.support.hub import LiveHub, ScriptedDriver, live_hub, lock, lost, obey, until
from tests.support.store import open_journal


def read(live: LiveHub, native_id: str = "a") -> ReadCode:
    return ReadCode(device_id=live.id_of(native_id), native_id=native_id, slot=1)


def queue(live: LiveHub, native_id: str = "a", priority: Priority = Priority.START) -> Errand:
    errand = Errand()
    live.hub.dispatcher.queue("front", live.id_of(native_id), errand, priority)
    return errand


def end(live: LiveHub, native_id: str = "a") -> None:
    live.hub.dispatcher.end("front", live.id_of(native_id))


class Keypads(ScriptedDriver):
    """Does what the test says about codes too."""

    async def execute(self, command: Command) -> Outcome:
        return await self.on_execute(command)


def locks(*names: str) -> ScriptedDriver:
    return ScriptedDriver(*map(lock, names))


# -- turns


async def test_a_device_does_one_errand_at_a_time(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite", locks("a", "b"), budget=4) as live:
        first, second, other = queue(live), queue(live), queue(live, "b")
        assert (first.turn.is_set(), second.turn.is_set(), other.turn.is_set()) == (True, False, True)
        end(live)
        assert second.turn.is_set()


async def test_no_more_errands_than_the_budget_and_urgent_ones_first(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite", locks("a", "b", "c"), budget=1) as live:
        assert live.hub.dispatcher.budget("front") == 1
        running, look = queue(live), queue(live, "b", Priority.SWEEP)
        ending = queue(live, "c", Priority.END)
        end(live)
        assert (running.turn.is_set(), ending.turn.is_set(), look.turn.is_set()) == (True, True, False)


async def test_an_errand_is_taken_back_only_while_it_waits(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite") as live:
        dispatcher, device_id = live.hub.dispatcher, live.id_of("a")
        running, waiting = queue(live), queue(live)
        assert dispatcher.withdraw("front", device_id, waiting)
        assert not dispatcher.withdraw("front", device_id, waiting)
        assert not dispatcher.withdraw("front", device_id, running)
        end(live)
        assert not waiting.turn.is_set()


async def test_an_order_waits_for_the_errand_of_its_device_and_goes_before_the_next(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite") as live:
        running, waiting = queue(live), queue(live, priority=Priority.END)
        ordering = asyncio.create_task(live.hub.submit(live.lock("a"), "me", wait_seconds=5))
        await settle()
        assert (running.turn.is_set(), live.driver.commands) == (True, [])
        end(live)
        await until(ordering.done)
        assert (await ordering, [type(c) for c in live.driver.commands]) == (ordering.result(), [LockDoor])
        await until(waiting.turn.is_set)


async def test_an_order_to_another_door_waits_for_no_errand(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite", locks("a", "b"), budget=1) as live:
        queue(live)
        request_id = await live.hub.submit(live.lock("b"), "me", wait_seconds=5)
        outcome = await live.outcome(request_id)
        assert outcome is not None
        assert outcome.kind is OutcomeKind.DONE


async def test_an_order_that_expires_lets_the_errand_behind_it_go(tmp_path: Path) -> None:
    hanging = asyncio.Event()

    async def hang(command: Command) -> Outcome:
        await hanging.wait()
        return await obey(command)

    driver = ScriptedDriver(lock("a"), lock("b"), execute=hang)
    async with live_hub(tmp_path / "x.sqlite", driver, budget=1) as live:
        await live.hub.submit(live.lock("a"), "me", deadline_seconds=100)
        await live.hub.submit(live.lock("b"), "me", deadline_seconds=10)
        waiting = queue(live, "b")
        assert not waiting.turn.is_set()
        await live.clock.advance(11)
        await until(waiting.turn.is_set)
        hanging.set()


# -- asking


async def test_what_the_driver_answers_is_the_outcome(tmp_path: Path) -> None:
    answers = [done(), rejected("device_refused", "No.")]

    async def answer(_: Command) -> Outcome:
        return answers.pop(0)

    async with live_hub(tmp_path / "x.sqlite", Keypads(execute=answer)) as live:
        command = ReadCode(device_id="d", native_id="a", slot=1)
        kinds = [(await live.hub.dispatcher.ask("front", command, 5)).kind for _ in range(2)]
        assert kinds == [OutcomeKind.DONE, OutcomeKind.REJECTED]


async def test_through_a_dead_hop_nothing_is_asked(tmp_path: Path) -> None:
    asked: list[Command] = []

    async def note(command: Command) -> Outcome:
        asked.append(command)
        return done()

    async with live_hub(tmp_path / "x.sqlite", Keypads(lock("a"), execute=note)) as live:
        live.driver.living_port.hop_lost(lost("controller", "pulled", "The stick was pulled."))
        outcome = await live.hub.dispatcher.ask("front", read(live), 5)
        assert (outcome.kind, outcome.detail) == (OutcomeKind.UNREACHABLE, {"hop": "controller", "reason": "pulled"})
        assert asked == []


async def test_a_lock_that_does_not_answer_in_time_is_in_doubt(tmp_path: Path) -> None:
    is_cancelled = asyncio.Event()

    async def hang(_: Command) -> Outcome:
        try:
            await asyncio.Event().wait()
        finally:
            is_cancelled.set()
        raise AssertionError

    async with live_hub(tmp_path / "x.sqlite", Keypads(execute=hang)) as live:
        command = ReadCode(device_id="d", native_id="a", slot=1)
        asking = asyncio.create_task(live.hub.dispatcher.ask("front", command, 12))
        await live.clock.advance(11.9)
        assert not asking.done()
        await live.clock.advance(0.2)
        outcome = await asking
        assert (outcome.kind, outcome.code) == (OutcomeKind.SENT_UNCONFIRMED, "no_answer")
        assert "12 s" in outcome.message
        assert is_cancelled.is_set()


async def raise_value_error(_: Command) -> Outcome:
    raise ValueError("a defect")


async def raise_lost(_: Command) -> Outcome:
    raise lost("controller", "pulled", "The stick was pulled.")


async def answer_none(_: Command) -> Outcome:
    return None  # type: ignore[return-value]  # as a defect would


@pytest.mark.parametrize(
    ("execute", "kind", "code"),
    [
        (raise_value_error, OutcomeKind.SENT_UNCONFIRMED, "driver_defect"),
        (answer_none, OutcomeKind.SENT_UNCONFIRMED, "driver_defect"),
        (raise_lost, OutcomeKind.UNREACHABLE, "pulled"),
    ],
)
async def test_whatever_a_driver_does_there_is_an_answer(
    tmp_path: Path, execute: object, kind: OutcomeKind, code: str
) -> None:
    async with live_hub(tmp_path / "x.sqlite", Keypads(execute=execute)) as live:  # type: ignore[arg-type]
        command = ReadCode(device_id="d", native_id="a", slot=1)
        outcome = await live.hub.dispatcher.ask("front", command, 5)
        assert (outcome.kind, outcome.code) == (kind, code)


async def test_the_end_of_the_hub_is_no_outcome(tmp_path: Path) -> None:
    async def hang(_: Command) -> Outcome:
        await asyncio.Event().wait()
        raise AssertionError

    async with live_hub(tmp_path / "x.sqlite", Keypads(execute=hang)) as live:
        command = ReadCode(device_id="d", native_id="a", slot=1)
        asking = asyncio.create_task(live.hub.dispatcher.ask("front", command, 12))
        await settle()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking


async def test_an_errand_stands_in_no_journal(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    async with live_hub(path) as live:
        queue(live)
        head = live.hub.journal.head
        await live.hub.dispatcher.ask("front", read(live), 5)
        end(live)
        assert live.hub.journal.head == head
        assert not live.hub.dispatcher.is_busy(live.id_of("a"))
    async with open_journal(path) as journal:
        assert journal.tables.open_commands == {}


async def test_of_an_instance_that_is_not_configured_the_budget_is_one(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite", budget=3) as live:
        assert (live.hub.dispatcher.budget("front"), live.hub.dispatcher.budget("gone")) == (3, 1)
