import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import pytest
from msgspec import Meta

from hubd.core.actions import CLEAN_UP_SECONDS, KEPT_RUNS, MAX_RUNNING, Run
from hubd.core.hub import Hub
from hubd.driver import ActionError, ActionResult, Arguments, DriverError, Progress, Question
from hubd.model.errors import BusyError, HubError, InvalidInputError, NotFoundError, StoreError
from hubd.model.event import ActionEnded, ActionStarted
from tests.support.clock import ManualClock, settle
from tests.support.hub import LiveHub, ScriptedDriver, bare_hub, live_hub, lock, until
from tests.support.store import refuse_writes, slow_disk, take_writes


class Seconds(Arguments, frozen=True, kw_only=True):
    """Arguments of a test's action."""

    seconds: Annotated[int, Meta(ge=10, le=240)]
    dsk: str = ""


class Errand:
    """An action that waits until a test lets it go on."""

    def __init__(self) -> None:
        self.free = asyncio.Event()
        self.given: list[tuple[Arguments, str | None]] = []
        self.progress: Progress | None = None
        self.cleaned = 0
        self.clean_up: Callable[[], Awaitable[ActionResult]] | None = None

    async def __call__(self, arguments: Arguments, native_id: str | None, progress: Progress) -> ActionResult:
        self.given.append((arguments, native_id))
        self.progress = progress
        try:
            await self.free.wait()
        except asyncio.CancelledError:
            self.cleaned += 1
            if self.clean_up is not None:
                return await self.clean_up()
            raise
        return ActionResult(message="It is done.", facts={"node": 7})


@asynccontextmanager
async def acting(tmp_path: Path, act: Any, **members: Any) -> AsyncIterator[LiveHub]:
    """Run a hub whose driver offers `include`."""
    driver = ScriptedDriver(lock("a"))
    driver.offer(act, **members)
    async with live_hub(tmp_path / "hub.sqlite", driver) as live:
        yield live


async def start(live: LiveHub, name: str = "include", **arguments: Any) -> Run:
    return await live.hub.actions.start("front", name, arguments, "k1")


async def ended(run: Run) -> None:
    await until(lambda: run.is_over and not run.is_engaged)


async def told(live: LiveHub) -> list[tuple[str, str]]:
    """Return state and words of each action in the journal; "" for one that was started."""
    rows = await live.rows("action.started", "action.ended")
    return [
        (row.event.state, row.event.message) if isinstance(row.event, ActionEnded) else ("", "started") for row in rows
    ]


async def test_an_exclusive_action_is_journaled_from_start_to_end(tmp_path: Path) -> None:
    errand = Errand()
    async with acting(tmp_path, errand, arguments=Seconds) as live:
        run = await start(live, seconds=30)
        (row,) = await live.rows("action.started")
        assert row.event == ActionStarted(run_id=run.run_id, action="include", by="k1")
        assert live.hub.journal.tables.instances["front"].open_action is not None
        errand.free.set()
        await ended(run)
        assert (run.state, run.result) == ("done", ActionResult(message="It is done.", facts={"node": 7}))
        assert errand.given == [(Seconds(seconds=30), None)]
        (row,) = await live.rows("action.ended")
        assert row.event == ActionEnded(run_id=run.run_id, action="include", state="done", message="It is done.")
        assert live.hub.journal.tables.instances["front"].open_action is None


async def test_what_is_seen_to_have_ended_stands_in_no_others_way(tmp_path: Path) -> None:
    errand = Errand()
    errand.free.set()
    async with acting(tmp_path, errand) as live:
        for _ in range(5):
            run = await start(live)
            while not run.is_over:
                await run.wait_beyond(run.version)
            assert run.state == "done"


async def test_what_only_reads_is_not_journaled(tmp_path: Path) -> None:
    errand = Errand()
    async with acting(tmp_path, errand, exclusive=False) as live:
        first, second = await start(live), await start(live)
        errand.free.set()
        await ended(first)
        await ended(second)
        assert await told(live) == []


async def test_an_action_on_a_device_gets_its_native_id(tmp_path: Path) -> None:
    errand = Errand()
    async with acting(tmp_path, errand, on_device=True) as live:
        with pytest.raises(InvalidInputError, match="device_id: is needed"):
            await start(live)
        device = (live.id_of("a"), "a")
        run = await live.hub.actions.start("front", "include", {}, "k1", device=device)
        errand.free.set()
        await ended(run)
        assert errand.given == [(Arguments(), "a")]
        assert {row.device_id for row in await live.rows("action.started", "action.ended")} == {live.id_of("a")}


async def test_an_action_of_the_network_takes_no_device(tmp_path: Path) -> None:
    async with acting(tmp_path, Errand()) as live:
        with pytest.raises(InvalidInputError, match="device_id: must be left out"):
            await live.hub.actions.start("front", "include", {}, "k1", device=("d", "n"))


async def test_nothing_is_started_with_wrong_arguments(tmp_path: Path) -> None:
    async with acting(tmp_path, Errand(), arguments=Seconds) as live:
        with pytest.raises(InvalidInputError, match=r"arguments\.seconds: must be a whole number from 10 to 240"):
            await start(live, seconds=9)
        assert not live.hub.actions.runs


async def test_what_is_not_offered_is_not_found(tmp_path: Path) -> None:
    async with acting(tmp_path, Errand()) as live:
        actions = live.hub.actions
        assert [one.name for one in actions.catalogue("front")] == ["include"]
        assert actions.catalogue("back") == ()
        assert actions.find("front", "include").title == "Include"
        with pytest.raises(NotFoundError, match="Scripted has no action 'fly'; it has: include"):
            await start(live, "fly")
        with pytest.raises(NotFoundError) as caught:
            await actions.start("back", "include", {}, "k1")
        assert caught.value.code == "driver_not_configured"
        with pytest.raises(NotFoundError) as caught:
            actions.run("none")
        assert caught.value.code == "run_not_found"


async def test_only_one_exclusive_action_at_a_time(tmp_path: Path) -> None:
    errand, looking = Errand(), Errand()
    driver = ScriptedDriver(lock("a"))
    driver.offer(errand)
    driver.offer(looking, "ping", exclusive=False)
    async with live_hub(tmp_path / "hub.sqlite", driver) as live:
        both = await asyncio.gather(start(live), start(live), return_exceptions=True)
        (run,) = [one for one in both if isinstance(one, Run)]
        (busy,) = [one for one in both if isinstance(one, BusyError)]
        assert (busy.code, busy.data) == ("action_under_way", {"run_id": run.run_id})
        for _ in range(MAX_RUNNING - 1):
            await start(live, "ping")
        with pytest.raises(BusyError) as caught:
            await start(live, "ping")
        assert caught.value.code == "too_many_runs"


async def test_the_answer_reaches_the_driver_and_nobody_else(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def ask(_: Arguments, __: str | None, progress: Progress) -> ActionResult:
        progress.say("Found a lock.")
        word = await progress.ask(Question(text="Which word?"))
        raise ValueError(f"no lock takes {word}")

    caplog.set_level(logging.DEBUG)
    async with acting(tmp_path, ask) as live:
        run = await start(live)
        await until(lambda: run.state == "asking")
        run.answer("Xylophone")
        await ended(run)
        assert run.failure is not None
        assert (run.state, run.failure.code) == ("failed", "driver_defect")
        rows = await live.hub.journal.rows(0, 1000)
        assert "Xylophone" not in repr(vars(run)) + repr(rows) + caplog.text
        assert "ValueError" in caplog.text
        assert __file__ in caplog.text


async def test_somebody_gives_up(tmp_path: Path) -> None:
    errand = Errand()
    async with acting(tmp_path, errand) as live:
        run = await start(live)
        await settle()
        for _ in range(2):
            assert live.hub.actions.cancel(run.run_id) is run
        await ended(run)
        assert (run.state, run.result, run.failure, errand.cleaned) == ("cancelled", None, None, 1)
        assert (await told(live))[-1] == ("cancelled", "It was cancelled.")
        live.hub.actions.cancel(run.run_id)
        assert run.state == "cancelled"


async def test_giving_up_twice_does_not_cut_short_the_cleaning_up(tmp_path: Path) -> None:
    errand, finished = Errand(), asyncio.Event()

    async def clean_up() -> ActionResult:
        await finished.wait()
        raise asyncio.CancelledError

    errand.clean_up = clean_up
    async with acting(tmp_path, errand) as live:
        run = await start(live)
        await settle()
        live.hub.actions.cancel(run.run_id)
        await settle()
        live.hub.actions.cancel(run.run_id)
        await live.clock.advance(CLEAN_UP_SECONDS - 1)
        assert not run.is_over
        finished.set()
        await ended(run)
        assert run.state == "cancelled"


async def test_what_was_done_before_the_cancellation_came_is_done(tmp_path: Path) -> None:
    errand = Errand()

    async def clean_up() -> ActionResult:
        return ActionResult(message="The lock had joined already.")

    errand.clean_up = clean_up
    async with acting(tmp_path, errand) as live:
        run = await start(live)
        await settle()
        live.hub.actions.cancel(run.run_id)
        await ended(run)
        assert (run.state, (await told(live))[-1]) == ("done", ("done", "The lock had joined already."))


async def test_a_cancelled_action_that_cannot_clean_up_says_so(tmp_path: Path) -> None:
    errand = Errand()

    async def clean_up() -> ActionResult:
        raise ActionError("still_including", "The stick did not stop including.", "Pull the stick.")

    errand.clean_up = clean_up
    async with acting(tmp_path, errand) as live:
        run = await start(live)
        await settle()
        live.hub.actions.cancel(run.run_id)
        await ended(run)
        assert run.failure is not None
        assert (run.state, run.failure.remedy) == ("failed", "Pull the stick.")


async def test_its_time_is_over(tmp_path: Path) -> None:
    errand = Errand()
    async with acting(tmp_path, errand, seconds=60.0) as live:
        run = await start(live)
        await live.clock.advance(59)
        assert not run.is_over
        await live.clock.advance(2)
        await ended(run)
        assert run.failure is not None
        assert (run.state, run.failure.code, errand.cleaned) == ("failed", "action_timeout", 1)
        assert "60 s" in run.failure.message


async def test_a_timeout_of_the_drivers_own_is_not_the_actions(tmp_path: Path) -> None:
    async def give_up(*_: Any) -> ActionResult:
        raise TimeoutError

    async with acting(tmp_path, give_up) as live:
        run = await start(live)
        await ended(run)
        assert run.failure is not None
        assert (run.state, run.failure.code) == ("failed", "driver_defect")


async def test_a_driver_that_does_not_stop_is_told_as_such_and_keeps_others_out(tmp_path: Path) -> None:
    errand, let_go = Errand(), asyncio.Event()

    async def clean_up() -> ActionResult:
        await let_go.wait()
        return ActionResult(message="At last.")

    errand.clean_up = clean_up
    async with acting(tmp_path, errand, seconds=60.0) as live:
        run = await start(live)
        await live.clock.advance(61)
        await live.clock.advance(CLEAN_UP_SECONDS)
        await until(lambda: run.is_over)
        assert run.failure is not None
        assert run.failure.code == "action_stuck"
        with pytest.raises(BusyError):
            await start(live)
        let_go.set()
        await ended(run)
        assert run.failure.code == "action_stuck"
        assert [state for state, _ in await told(live)] == ["", "failed"]
        errand.free.set()
        await ended(await start(live))


FAILURES: list[tuple[Exception, str, str]] = [
    (ActionError("nothing_joined", "Nothing joined.", "Go nearer."), "nothing_joined", "Go nearer."),
    (DriverError("server", "gone", "The server is gone.", "Plug it in."), "gone", "Plug it in."),
    (HubError("odd", "Something odd."), "odd", ""),
    (KeyError("node"), "driver_defect", "Report it with the log."),
]


@pytest.mark.parametrize(("error", "code", "remedy"), FAILURES, ids=[code for _, code, _ in FAILURES])
async def test_a_failure_is_told_with_what_to_do(tmp_path: Path, error: Exception, code: str, remedy: str) -> None:
    async def fail(*_: Any) -> ActionResult:
        raise error

    async with acting(tmp_path, fail) as live:
        run = await start(live)
        await ended(run)
        assert run.failure is not None
        assert (run.state, run.failure.code, run.failure.remedy) == ("failed", code, remedy)
        assert (await told(live))[-1] == ("failed", run.failure.message)


NO_RESULTS: list[Any] = [
    None,
    ActionResult(message="x", facts={"when": object()}),  # type: ignore[dict-item]
    ActionResult(message=5),  # type: ignore[arg-type]
    ActionResult(message="x", file="name"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("given", NO_RESULTS, ids=["none", "fact", "message", "file"])
async def test_what_is_no_result_is_a_defect_of_the_driver(tmp_path: Path, given: Any) -> None:
    async def act(*_: Any) -> Any:
        return given

    async with acting(tmp_path, act) as live:
        run = await start(live)
        await ended(run)
        assert run.failure is not None
        assert run.failure.code == "driver_defect"


async def test_a_cancellation_that_nobody_asked_for_is_a_lost_link(tmp_path: Path) -> None:
    async def break_off(*_: Any) -> ActionResult:
        raise asyncio.CancelledError

    async with acting(tmp_path, break_off) as live:
        run = await start(live)
        await ended(run)
        assert run.failure is not None
        assert (run.state, run.failure.code) == ("failed", "link_lost")


async def test_what_cannot_be_journaled_is_not_started(tmp_path: Path) -> None:
    errand = Errand()
    async with acting(tmp_path, errand) as live:
        await refuse_writes(live.hub.journal.database)
        with pytest.raises(StoreError):
            await start(live)
        assert (errand.given, dict(live.hub.actions.runs)) == ([], {})
        await take_writes(live.hub.journal.database)
        errand.free.set()
        await ended(await start(live))


async def test_an_end_that_the_disk_refuses_is_shown_at_once_and_written_later(tmp_path: Path) -> None:
    errand = Errand()
    async with acting(tmp_path, errand) as live:
        run = await start(live)
        await refuse_writes(live.hub.journal.database)
        errand.free.set()
        await until(lambda: run.is_over)
        with pytest.raises(BusyError):
            await start(live)
        await take_writes(live.hub.journal.database)
        while run.is_engaged:
            await live.clock.advance(1)
        assert [state for state, _ in await told(live)] == ["", "done"]


async def test_who_starts_it_may_go_away(tmp_path: Path) -> None:
    errand = Errand()
    async with acting(tmp_path, errand) as live:
        async with slow_disk(live.hub.journal):
            starting = asyncio.create_task(start(live))
            await settle()
            starting.cancel()
            await asyncio.wait({starting})
        (run,) = live.hub.actions.runs.values()
        errand.free.set()
        await ended(run)
        assert [state for state, _ in await told(live)] == ["", "done"]


async def test_what_is_given_up_before_it_began_never_reaches_the_driver(tmp_path: Path) -> None:
    errand = Errand()
    async with acting(tmp_path, errand) as live:
        async with slow_disk(live.hub.journal):
            starting = asyncio.create_task(start(live))
            await settle()
            (run,) = live.hub.actions.runs.values()
            live.hub.actions.cancel(run.run_id)
        await starting
        await ended(run)
        assert (run.state, errand.given) == ("cancelled", [])
        assert [state for state, _ in await told(live)] == ["", "cancelled"]


async def test_the_daemon_stops(tmp_path: Path) -> None:
    errand = Errand()
    async with acting(tmp_path, errand) as live:
        run = await start(live)
        await settle()
        await live.hub.actions.drain(5)
        assert (run.state, run.is_engaged, errand.cleaned) == ("cancelled", False, 1)
        assert (await told(live))[-1] == ("cancelled", "It was cancelled: the hub is stopping.")
        with pytest.raises(BusyError) as caught:
            await start(live)
        assert caught.value.code == "stopping"


async def test_the_daemon_does_not_wait_for_a_driver_that_does_not_stop(tmp_path: Path) -> None:
    errand = Errand()

    async def clean_up() -> ActionResult:
        await errand.free.wait()
        raise asyncio.CancelledError

    errand.clean_up = clean_up
    async with acting(tmp_path, errand) as live:
        run = await start(live)
        await settle()
        await live.hub.actions.drain(0.01)
        assert not run.is_over


async def test_what_a_crash_interrupted_ends_at_the_next_start(tmp_path: Path) -> None:
    async with acting(tmp_path, Errand()) as live:
        run = await start(live)
    assert run.state == "cancelled"
    async with bare_hub(tmp_path / "hub.sqlite", ManualClock()) as hub:
        assert [(one.run_id, one.state) for one in await journaled_ends(hub)] == [(run.run_id, "interrupted")]
    async with bare_hub(tmp_path / "hub.sqlite", ManualClock()) as hub:
        assert len(await journaled_ends(hub)) == 1


async def journaled_ends(hub: Hub) -> list[ActionEnded]:
    return [row.event for row in await hub.journal.rows(0, 1000) if isinstance(row.event, ActionEnded)]


async def test_the_last_fifty_that_ended_are_kept(tmp_path: Path) -> None:
    errand, other = Errand(), Errand()
    errand.free.set()
    driver = ScriptedDriver(lock("a"))
    driver.offer(errand, "ping", exclusive=False)
    driver.offer(other)
    async with live_hub(tmp_path / "hub.sqlite", driver) as live:
        under_way = await start(live)
        runs = [await start(live, "ping") for _ in range(3)]
        for _ in range(KEPT_RUNS):
            await ended(await start(live, "ping"))
        await ended(await start(live, "ping"))
        kept = live.hub.actions.runs
        assert under_way.run_id in kept
        assert not {run.run_id for run in runs} & kept.keys()
        assert len(kept) <= KEPT_RUNS + 2
