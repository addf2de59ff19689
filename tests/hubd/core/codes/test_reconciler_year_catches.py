"""The year simulation is worth something only if it fails: a defect of each kind is planted, and its rule finds it."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from blockbuster import BlockBuster
from hypothesis import given, settings
from msgspec.structs import replace

from hubd.core import hub, pauses
from hubd.core.codes import exchange, plan, readings, reconciler, wishes
from hubd.core.sense import Sense
from hubd.model.outcome import OutcomeKind
from hubd.store.codes import CodeRecord
from hubd.store.journal import Journal
from tests.support.virtual import allow_blocking
from tests.support.year import live_through
from tests.support.year_operations import (
    Break,
    Crash,
    Create,
    Delete,
    Hand,
    Lie,
    Operation,
    PowerCut,
    Wait,
    script,
)

type Plant = Callable[[ExitStack], None]


@pytest.fixture(scope="module", autouse=True)
def _no_time_passes(nothing_blocks: BlockBuster) -> None:
    allow_blocking(nothing_blocks)


def _swap(stack: ExitStack, home: object, name: str, other: Any) -> None:
    stack.enter_context(patch.object(home, name, other))


def forget_ends(stack: ExitStack) -> None:
    _swap(stack, plan, "is_over", lambda code, _: code.deleted_at is not None)


def begin_early(stack: ExitStack) -> None:
    _swap(
        stack, plan, "has_begun", lambda code, at: code.starts_at is None or code.starts_at <= at + timedelta(minutes=5)
    )


def forget_what_was_begun(stack: ExitStack) -> None:
    """What a row says of a command under way is not on the disk when the process dies."""
    load = Journal.load

    async def forget(self: Journal) -> None:
        await load(self)
        for code in list(self.tables.codes.values()):
            if code.placement is not None and code.placement.state == "sent":
                self.tables.put_code(code.code_id, replace(code, placement=None))

    _swap(stack, Journal, "load", forget)


def take_silence_for_success(stack: ExitStack) -> None:
    end = exchange.end

    def believe(view: Any, taken: Any, outcome: Any, *rest: Any, **named: Any) -> None:
        if outcome.kind is OutcomeKind.SENT_UNCONFIRMED:
            outcome = replace(outcome, kind=OutcomeKind.DONE)
        end(view, taken, outcome, *rest, **named)

    _swap(stack, reconciler, "end", believe)


def look_for_no_twins(stack: ExitStack) -> None:
    _swap(stack, wishes.Wishes, "_check_twins", lambda *_: None)
    _swap(stack, plan._Planner, "_twin", lambda *_: None)  # noqa: SLF001


def take_foreign_slots(stack: ExitStack) -> None:
    free = plan._Planner._free_slots  # noqa: SLF001

    def take(self: Any) -> Any:
        placed, self._placed = self._placed, {s: c for s, c in self._placed.items() if c.is_managed}
        found = free(self)
        self._placed = placed
        return found

    _swap(stack, plan._Planner, "_free_slots", take)  # noqa: SLF001


def take_reserved_slots(stack: ExitStack) -> None:
    def take(self: Any) -> Any:
        return (slot for slot in range(1, self._keypad.slots + 1) if slot not in self._placed)

    _swap(stack, plan._Planner, "_free_slots", take)  # noqa: SLF001


def know_wishes_before_their_start(stack: ExitStack) -> None:
    _swap(stack, readings.Reader, "_may_be_by_us", lambda *_: True)


def rest_for_good(stack: ExitStack) -> None:
    _swap(stack, pauses, "pause", lambda _, **__: timedelta(days=365))
    _swap(stack, plan, "LONGEST_RETRY", timedelta(days=3650))


def believe_no_time_server(stack: ExitStack) -> None:
    def prove(self: Any) -> None:
        self._is_proven = True

    _swap(stack, Sense, "_prove", prove)


def believe_one_reading(stack: ExitStack) -> None:
    _swap(stack, readings.Reader, "_is_second", lambda *_: True)


def never_sweep(stack: ExitStack) -> None:
    _swap(stack, plan._Planner, "_look", lambda _: None)  # noqa: SLF001


def ignore_hints(stack: ExitStack) -> None:
    _swap(stack, readings.Reader, "hint", lambda *_: None)


def forget_frames(stack: ExitStack) -> None:
    """A lock that keeps to time frames is told none, and is given the code ahead of time all the same."""
    command = exchange.Exchange.command

    def forget(self: Any, ref: str) -> Any:
        made = command(self, ref)
        return replace(made, frame=None) if getattr(made, "frame", None) is not None else made

    _swap(stack, exchange.Exchange, "command", forget)


def tell_pins(stack: ExitStack) -> None:
    create = wishes.Wishes.create

    def tell(self: Any, wish: Any) -> CodeRecord:
        return create(self, replace(wish, name=wish.pin) if wish.pin else wish)

    _swap(stack, wishes.Wishes, "create", tell)


def tell_no_end(stack: ExitStack) -> None:
    bury = readings.bury

    def hush(*given: Any, **named: Any) -> bool:
        with patch.object(readings, "tell", lambda *_: None):
            return bury(*given, **named)

    _swap(stack, readings, "bury", hush)


def sweep_too_often(stack: ExitStack) -> None:
    _swap(stack, hub, "Pace", lambda sweep: plan.Pace(sweep / 4))


def lose_deletions(stack: ExitStack) -> None:
    """The wish is gone at once, and what is on the lock stays there."""

    def lose(self: Any, code_id: str, **_: Any) -> CodeRecord:
        code = self.code(code_id, is_managed=None)
        assert isinstance(code, CodeRecord)
        self._view.drop_code(code_id)
        return code

    _swap(stack, wishes.Wishes, "delete", lose)


READ = Wait(100)
"""By then every slot was read."""
SOON, DAY = Wait(9), 86_400
SET: list[Operation] = [READ, Create(0), SOON]
PLANTED: list[tuple[Plant, str, list[Operation]]] = [
    (forget_ends, "R1", [READ, Create(0, 20, 600), Wait(3600)]),
    (begin_early, "R1", [READ, Create(0, 7200, 600), Wait(7000), Create(0), Wait(9000)]),
    (forget_frames, "R1", [READ, Create(1, 7200, 600), Wait(9000)]),
    (lose_deletions, "R1", [*SET, Delete(0), Wait(600)]),
    (forget_what_was_begun, "R1", [READ, Crash(3, is_kept=False, seconds=400), Create(0, 0, 30), Wait(3600)]),
    (rest_for_good, "R2", [READ, Break(0, "refuse", 30), Create(0), Wait(7200)]),
    (
        believe_no_time_server,
        "R2",
        [READ, PowerCut(9000, has_rtc=False, unsure=30), Wait(9600), Create(0, 20, 7200), Wait(3600)],
    ),
    (look_for_no_twins, "R3", [READ, Create(3, pin=0), SOON, Create(3, pin=0), SOON]),
    (take_foreign_slots, "R4", [READ, Hand(0, 2, 1, is_told=True), READ, Create(0), SOON]),
    (take_reserved_slots, "R4", [READ, Create(0), SOON]),
    (know_wishes_before_their_start, "R4", [READ, Create(0, 7200, pin=1), SOON, Hand(0, 4, 1, is_told=True), READ]),
    (sweep_too_often, "R5", SET),
    (tell_no_end, "R6", [*SET, Delete(0), SOON]),
    (believe_one_reading, "R6", [*SET, Lie(0, 2), Wait(2 * DAY)]),
    (take_silence_for_success, "R7", [READ, Break(0, "deaf", 3600), Create(0), READ]),
    (never_sweep, "R7", [*SET, Hand(0, 2), Wait(3 * DAY)]),
    (ignore_hints, "R7", [*SET, Hand(0, 2, is_told=True), Wait(600)]),
    (tell_pins, "R8", [READ, Create(0, pin=1), SOON]),
]


@pytest.mark.parametrize(("plant", "rule", "operations"), [pytest.param(*p, id=p[0].__name__) for p in PLANTED])
def test_a_planted_defect_is_found(plant: Plant, rule: str, operations: list[Operation]) -> None:
    live_through(operations)
    with ExitStack() as stack:
        plant(stack)
        with pytest.raises(AssertionError, match=rf"^{rule}"):
            live_through(operations)


@pytest.mark.soak
def test_chance_finds_one_and_shows_the_shortest_way_to_it() -> None:
    @settings(max_examples=100, derandomize=True, database=None, report_multiple_bugs=False)
    @given(script(4))
    def live(operations: list[Operation]) -> None:
        live_through(operations)

    with ExitStack() as stack:
        take_reserved_slots(stack)
        with pytest.raises(AssertionError, match=r"^R4") as raised:
            live()
    shown = next(note for note in raised.value.__notes__ if note.startswith("what happened"))
    assert len(shown.splitlines()) == 2, "one line for the title, one for the one thing that it takes"
