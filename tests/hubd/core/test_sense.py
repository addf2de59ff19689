import asyncio
import logging
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubd.core.doubt import PLAUSIBLE, TOLERANCE
from hubd.core.sense import ACCEPT_SECONDS, LOOK_SECONDS, MADE, SAVE_SECONDS, Instant, Sense
from hubd.core.sources import KernelSources, Sources
from hubd.driver.clock import Clock, SystemClock
from hubd.model.errors import RefusedError, StoreError
from hubd.model.event import HubStarted
from tests.support.clock import NOON, ManualClock
from tests.support.hub import stoppable, until
from tests.support.sources import Witnesses
from tests.support.store import open_journal, refuse_writes, take_writes, tell

DAY = timedelta(days=1)
UNSET = datetime(1970, 1, 1, 0, 1, tzinfo=UTC)


class Life:
    """A sense that runs, and how often it told of a change."""

    def __init__(self, sense: Sense) -> None:
        self.sense = sense
        self.changes = 0
        sense.changed = self._count

    def _count(self) -> None:
        self.changes += 1

    @property
    def at(self) -> datetime:
        return self.sense.now().at

    @property
    def is_trusted(self) -> bool:
        return self.sense.now().is_trusted

    @property
    def code(self) -> str | None:
        doubt = self.sense.doubt
        return None if doubt is None else doubt.code


@asynccontextmanager
async def life(path: Path, clock: Clock, sources: Sources | None = None) -> AsyncIterator[Life]:
    """Live from a start to a stop; the journal gets a row at the start, as a hub's does."""
    async with open_journal(path / "hubd.sqlite", clock) as journal, stoppable() as group:
        sense = Sense(journal, clock, sources)
        await sense.open()
        await tell(journal, HubStarted(version="0"))
        group.create_task(sense.run())
        yield Life(sense)


async def look(clock: ManualClock, seconds: float = LOOK_SECONDS) -> None:
    """Let time pass, and the sense look as often as it would: what it asks of a thread takes no driven time."""
    for _ in range(round(seconds / LOOK_SECONDS)):
        await until(lambda: clock.asleep)
        await clock.advance(LOOK_SECONDS)
        await until(lambda: clock.asleep)


async def lived(path: Path, clock: ManualClock, sources: Witnesses, seconds: float = SAVE_SECONDS) -> None:
    async with life(path, clock, sources) as one:
        assert one.is_trusted
        await look(clock, seconds + LOOK_SECONDS)


def booted(wall: datetime) -> ManualClock:
    return ManualClock(wall)


# -- trust -----------------------------------------------------------------------------------------------------------


async def test_the_first_start_of_all_is_trusted_and_so_is_a_restart_in_the_same_boot(tmp_path: Path) -> None:
    clock = ManualClock()
    await lived(tmp_path, clock, Witnesses())
    async with life(tmp_path, clock, Witnesses()) as again:
        assert again.sense.now() == Instant(clock.now(), is_trusted=True)
        assert again.code is None


async def test_a_clock_that_was_never_set_is_not_trusted_even_then(tmp_path: Path) -> None:
    async with life(tmp_path, booted(UNSET), Witnesses()) as one:
        assert one.sense.now() == Instant(MADE, is_trusted=False)
        with pytest.raises(RefusedError) as refused:
            await one.sense.confirm()
        assert refused.value.code == "clock_unset"
        assert not one.is_trusted


async def test_after_a_boot_without_proof_the_last_recorded_time_is_a_lower_bound_that_moves(tmp_path: Path) -> None:
    before = ManualClock()
    await lived(tmp_path, before, Witnesses())
    clock = booted(UNSET)
    async with life(tmp_path, clock, Witnesses("boot-2")) as one:
        bound = one.at
        assert before.now() - timedelta(seconds=SAVE_SECONDS) <= bound <= before.now()
        assert (one.is_trusted, one.code) == (False, "clock_unproven")
        await look(clock, 3600)
        assert one.at == bound + timedelta(hours=1)
    async with life(tmp_path, booted(UNSET), Witnesses("boot-3")) as later:
        assert later.at >= bound + timedelta(minutes=59), "an untrusted life moves the bound, too"


async def test_what_time_it_is_at_least_is_the_bound_however_far_ahead_the_clock_is(tmp_path: Path) -> None:
    before = ManualClock()
    async with life(tmp_path, before, Witnesses()) as one:
        assert one.sense.earliest() == one.at
        await look(before, SAVE_SECONDS + LOOK_SECONDS)
    async with life(tmp_path, booted(NOON + 30 * DAY), Witnesses("boot-2")) as one:
        assert (one.is_trusted, one.at) == (False, NOON + 30 * DAY)
        assert NOON <= one.sense.earliest() <= before.now()
    async with life(tmp_path, booted(UNSET), Witnesses("boot-3")) as one:
        assert one.sense.earliest() == one.at >= NOON


async def test_rows_of_an_untrusted_life_move_no_bound(tmp_path: Path) -> None:
    await lived(tmp_path, ManualClock(), Witnesses())
    async with life(tmp_path, booted(NOON + 300 * DAY), Witnesses("boot-2")) as one:
        assert one.at == NOON + 300 * DAY, "what ended by then is removed"
    async with life(tmp_path, booted(UNSET), Witnesses("boot-3")) as later:
        assert later.at < NOON + timedelta(minutes=2)


async def test_a_database_of_an_older_hub_gives_the_time_of_its_last_row(tmp_path: Path) -> None:
    async with open_journal(tmp_path / "hubd.sqlite", ManualClock()) as journal:
        await tell(journal, HubStarted(version="0"))
    async with life(tmp_path, booted(UNSET), Witnesses()) as one:
        assert one.sense.now() == Instant(NOON, is_trusted=False)


async def test_what_was_kept_and_cannot_be_read_is_no_reason_not_to_start(tmp_path: Path) -> None:
    await lived(tmp_path, ManualClock(), Witnesses())
    async with open_journal(tmp_path / "hubd.sqlite") as journal:
        await journal.transact(lambda view: view.execute("UPDATE meta SET value = ? WHERE name = 'clock'", b"{"))
    async with life(tmp_path, booted(UNSET), Witnesses()) as one:
        assert one.sense.now() == Instant(NOON, is_trusted=False)


async def test_a_time_server_is_believed_whatever_was_recorded(tmp_path: Path) -> None:
    await lived(tmp_path, ManualClock(), Witnesses())
    clock, sources = booted(UNSET), Witnesses("boot-2")
    async with life(tmp_path, clock, sources) as one:
        assert not one.is_trusted
        clock.step((NOON - 30 * DAY - clock.now()).total_seconds())
        sources.synchronised = True
        await look(clock)
        assert one.sense.now() == Instant(clock.now(), is_trusted=True)
        assert one.changes == 1
        sources.synchronised = False
        await look(clock)
        assert one.is_trusted, "a time server that is lost takes nothing back"


async def test_the_word_of_timesyncd_for_this_boot_is_enough(tmp_path: Path) -> None:
    await lived(tmp_path, ManualClock(), Witnesses())
    sources = Witnesses("boot-2")
    sources.was = True
    async with life(tmp_path, booted(NOON + DAY), sources) as one:
        assert one.sense.now() == Instant(NOON + DAY, is_trusted=True)


@pytest.mark.parametrize(
    ("wall", "rtc", "is_believed"),
    [
        (NOON + DAY, NOON + DAY, True),
        (NOON + DAY, NOON + DAY + timedelta(seconds=50), True),
        (NOON + DAY, NOON + DAY + timedelta(seconds=70), False),
        (NOON + DAY, UNSET, False),
        (NOON - DAY, NOON - DAY, False),
        (NOON + 2 * PLAUSIBLE, NOON + 2 * PLAUSIBLE, False),
    ],
)
async def test_a_hardware_clock_is_believed_if_it_fits(
    tmp_path: Path, wall: datetime, rtc: datetime, *, is_believed: bool
) -> None:
    await lived(tmp_path, ManualClock(), Witnesses())
    async with life(tmp_path, booted(wall), Witnesses("boot-2", rtcs=(UNSET, rtc))) as one:
        assert one.is_trusted is is_believed
        assert one.at < NOON + PLAUSIBLE, "a clock that is years ahead is believed in nothing"


async def test_a_person_is_believed(tmp_path: Path) -> None:
    await lived(tmp_path, ManualClock(), Witnesses())
    clock = booted(NOON - 10 * DAY)
    async with life(tmp_path, clock, Witnesses("boot-2")) as one:
        await one.sense.confirm()
        assert one.sense.now() == Instant(clock.now(), is_trusted=True)
        assert one.changes == 1
    async with life(tmp_path, clock, Witnesses("boot-2")) as again:
        assert again.sense.now() == Instant(clock.now(), is_trusted=True)


async def test_without_sources_the_clock_is_believed(tmp_path: Path) -> None:
    clock = ManualClock()
    async with life(tmp_path, clock) as one:
        clock.step(-86400)
        assert one.sense.now() == Instant(clock.now(), is_trusted=True)
        await look(clock)
        assert (one.changes, one.code) == (1, None)
        clock.step(-30)
        assert one.at == clock.now() + timedelta(seconds=30), "but a small step back begins and ends nothing twice"


async def test_this_machine_can_be_asked(tmp_path: Path) -> None:
    async with life(tmp_path, SystemClock(), KernelSources()) as one:
        assert one.is_trusted
        await one.sense.confirm()
        assert abs(one.at - datetime.now(UTC)) < timedelta(seconds=10)


# -- steps -----------------------------------------------------------------------------------------------------------


async def test_a_step_back_gives_ended_codes_no_new_life(tmp_path: Path) -> None:
    clock, sources = ManualClock(), Witnesses()
    async with life(tmp_path, clock, sources) as one:
        clock.step(-3600)
        assert one.sense.now() == Instant(NOON, is_trusted=False), "at once, before anybody looked"
        await look(clock)
        assert (one.changes, one.code) == (1, "clock_set")
        await look(clock, 10 * ACCEPT_SECONDS)
        assert not one.is_trusted, "however long it stands"
        sources.synchronised = True
        await look(clock)
        assert one.sense.now() == Instant(clock.now(), is_trusted=True)


async def test_a_step_forward_empties_no_lock_and_counts_after_ten_minutes(tmp_path: Path) -> None:
    clock = ManualClock()
    async with life(tmp_path, clock, Witnesses()) as one:
        clock.step(86400)
        assert one.sense.now() == Instant(NOON, is_trusted=False)
        await look(clock, ACCEPT_SECONDS - LOOK_SECONDS)
        assert one.at == clock.now() - DAY
        await look(clock, 3 * LOOK_SECONDS)
        assert one.sense.now() == Instant(clock.now(), is_trusted=True)
        assert one.changes == 2


async def test_a_step_forward_by_years_never_counts_by_itself(tmp_path: Path) -> None:
    clock = ManualClock()
    async with life(tmp_path, clock, Witnesses()) as one:
        clock.step(2 * PLAUSIBLE.total_seconds())
        await look(clock, 5 * ACCEPT_SECONDS)
        assert (one.is_trusted, one.at < NOON + DAY) == (False, True)


async def test_a_step_that_is_taken_back_is_forgotten(tmp_path: Path) -> None:
    clock = ManualClock()
    async with life(tmp_path, clock, Witnesses()) as one:
        for seconds in (86400, -86400):
            clock.step(seconds)
            await look(clock)
        assert one.sense.now() == Instant(clock.now(), is_trusted=True)
        assert one.changes == 2


async def test_a_step_that_is_taken_back_before_anybody_looked_is_told_to_who_asked_meanwhile(tmp_path: Path) -> None:
    """A code that was to begin just then waits for the clock, and would not be looked at again."""
    clock = ManualClock()
    async with life(tmp_path, clock, Witnesses()) as one:
        for is_asked in (False, True):
            clock.step(7200)
            assert not (is_asked and one.is_trusted)
            clock.step(-7200)
            await look(clock, 2 * LOOK_SECONDS)
            assert one.changes == int(is_asked)


async def test_a_step_while_the_hub_was_down_is_noticed(tmp_path: Path) -> None:
    clock = ManualClock()
    await lived(tmp_path, clock, Witnesses())
    right = clock.now()
    clock.step(-3600)
    async with life(tmp_path, clock, Witnesses()) as one:
        assert one.code == "clock_set"
        assert abs(one.at - right) < timedelta(seconds=1)


async def test_small_steps_are_followed_forward_and_waited_out_backward(tmp_path: Path) -> None:
    clock = ManualClock()
    async with life(tmp_path, clock, Witnesses()) as one:
        clock.step(40)
        assert one.sense.now() == Instant(NOON + timedelta(seconds=40), is_trusted=True)
        clock.step(-40)
        assert one.sense.now() == Instant(NOON + timedelta(seconds=40), is_trusted=True)
        await look(clock, 45)
        assert one.at == clock.now()
        assert one.changes == 0, "that all was over before anybody looked"
        clock.step(10)
        await look(clock)
        assert one.changes == 1


async def test_many_small_steps_do_not_walk_the_clock_away(tmp_path: Path) -> None:
    clock = ManualClock()
    async with life(tmp_path, clock, Witnesses()) as one:
        for _ in range(3):
            assert one.is_trusted
            clock.step(-25)
            await look(clock)
        assert not one.is_trusted


# -- the machine fails -----------------------------------------------------------------------------------------------


async def test_a_technician_reads_once_what_is_missing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "hubd.core.sense")
    await lived(tmp_path, ManualClock(), Witnesses())
    assert caplog.messages == []
    clock, sources = booted(UNSET), Witnesses("boot-2")
    async with life(tmp_path, clock, sources):
        await look(clock, 3 * LOOK_SECONDS)
        (said,) = caplog.messages
        assert "no time server answered" in said
        assert "hardware clock" in said
        sources.synchronised = True
        await look(clock)
        assert caplog.messages[1:] == ["the clock is relied on again"]


async def test_a_disk_that_refuses_is_told_and_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock = ManualClock()
    async with open_journal(tmp_path / "hubd.sqlite", clock) as journal, stoppable() as group:
        sense = Sense(journal, clock, Witnesses())
        await sense.open()
        group.create_task(sense.run())
        await refuse_writes(journal.database)
        await clock.advance(SAVE_SECONDS + LOOK_SECONDS)
        await until(lambda: any("the time is not recorded" in message for message in caplog.messages))
        with pytest.raises(StoreError):
            await sense.confirm()
        assert sense.now().is_trusted
        await take_writes(journal.database)
        await sense.confirm()


async def test_files_that_hang_do_not_hold_the_start_up(tmp_path: Path) -> None:
    await lived(tmp_path, ManualClock(), Witnesses())
    free = threading.Event()

    class Hanging(Witnesses):
        def rtcs(self) -> tuple[datetime, ...]:
            free.wait(10)
            return ()

    clock = booted(NOON + DAY)
    async with open_journal(tmp_path / "hubd.sqlite", clock) as journal:
        sense = Sense(journal, clock, Hanging("boot-2"))
        opening = asyncio.create_task(sense.open())
        await until(lambda: clock.asleep == 1 and sense.now().at == NOON + DAY)
        while not opening.done():
            await clock.advance(LOOK_SECONDS)
            await asyncio.sleep(0.01)
        free.set()
        assert not sense.now().is_trusted


# -- under chance ----------------------------------------------------------------------------------------------------

SECONDS = st.sampled_from([5.0, 30.0, 70.0, 620.0])
STEPS = st.sampled_from([-400 * 86400.0, -86400.0, -70.0, -40.0, 3.0, 59.0, 3600.0, 90_000.0, 800 * 86400.0])
ASIDE = st.sampled_from([None, -86400.0, -61.0, -30.0, 0.0, 30.0, 86400.0, 500 * 86400.0])
ACTS = st.one_of(
    st.tuples(st.just("wait"), SECONDS, st.none()),
    st.tuples(st.just("step"), STEPS, st.none()),
    st.tuples(st.just("sync"), st.sampled_from([0.0, 1.0]), st.none()),
    st.tuples(st.just("restart"), st.just(0.0), st.none()),
    st.tuples(st.just("boot"), STEPS, ASIDE),
)
UNSAVED = timedelta(seconds=SAVE_SECONDS + LOOK_SECONDS) + TOLERANCE
"""How much of the trusted time a power cut may take."""

type Act = tuple[str, float, float | None]


class Story:
    """What happens to a box, and what must hold meanwhile."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = ManualClock()
        self.sources = Witnesses("1")
        self.sure = NOON
        """The latest time that was given out as trusted, unless a time server took it back."""
        self.given = NOON
        """The latest time that was given out in this life."""
        self.was_trusted = False
        self.trusted_boot = "1"

    async def tell(self, acts: list[Act]) -> None:
        """Let all happen; a restart or a boot ends a life."""
        rest = iter(acts)
        end: Act | None = ("restart", 0.0, None)
        while end is not None:
            async with life(self.path, self.clock, self.sources) as one:
                self.begin(one)
                end = await self.live(one, rest)
            if end is not None and end[0] == "boot":
                self.boot(*end[1:])

    async def live(self, one: Life, acts: Iterator[Act]) -> Act | None:
        """Let happen what happens in one life, and return what ends it."""
        for act in acts:
            kind, value, _ = act
            match kind:
                case "wait":
                    await look(self.clock, value)
                case "step":
                    self.clock.step(value)
                case "sync":
                    self.sources.synchronised = bool(value)
                    await look(self.clock)
                case _:
                    return act
            self.check(one)
        return None

    def begin(self, one: Life) -> None:
        """Check the first look of a life: what was sure is not forgotten, and no clock behind it is believed."""
        instant = one.sense.now()
        if not self.sources.synchronised:
            assert instant.at >= self.sure - UNSAVED
            if instant.is_trusted and self.sources.boot != self.trusted_boot:
                assert max(self.sources.shown) >= self.sure - UNSAVED
        self.given, self.was_trusted = instant.at, instant.is_trusted
        self.note(instant)

    def check(self, one: Life) -> None:
        """Check a later look: the time went on, unless a proof came."""
        instant = one.sense.now()
        is_proof = self.sources.synchronised or (instant.is_trusted and not self.was_trusted)
        assert is_proof or instant.at >= self.given
        if not self.sources.synchronised:
            assert instant.at >= self.sure - UNSAVED
        self.given, self.was_trusted = instant.at, instant.is_trusted
        self.note(instant)

    def note(self, instant: Instant) -> None:
        """Remember what was said with certainty."""
        if instant.is_trusted:
            self.trusted_boot = self.sources.boot
            self.sure = instant.at if self.sources.synchronised else max(self.sure, instant.at)

    def boot(self, step: float, aside: float | None) -> None:
        """Start the box with a clock that is off by `step`, and perhaps an RTC that is `aside` of that."""
        wall = max(UNSET, self.clock.now() + timedelta(seconds=step))
        self.clock = ManualClock(wall)
        shown = () if aside is None else (max(UNSET, wall + timedelta(seconds=aside)),)
        self.sources = Witnesses(str(int(self.sources.boot) + 1), rtcs=shown)


@settings(max_examples=60)
@given(st.lists(ACTS, max_size=14))
def test_the_time_goes_back_by_proof_alone_and_no_clock_behind_it_is_one(acts: list[Act]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(Story(Path(folder)).tell(acts))
