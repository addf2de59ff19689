import asyncio
import functools
from collections.abc import Awaitable, Callable

import pytest
from hubd_drivers.zwave.codes.books import Word
from hubd_drivers.zwave.codes.exchange import Exchange, seen_of
from hubd_drivers.zwave.codes.held import EMPTY, Held
from hubd_drivers.zwave.failures import CommandError, Kind, answer_lost

from hubd.driver.contract import RecordingPort
from hubd.model import CodeSeen, Outcome, OutcomeKind
from tests.drivers.zwave.fakes import FastClock

PIN, OTHER = "47110815", "902103"
MINE, FOREIGN, STARS = Held(is_used=True, pin=PIN), Held(is_used=True, pin=OTHER), Held(is_used=True)

type Read = Held | CommandError | None


class Lock:
    """A book that says what a test tells it; the last reading is repeated."""

    def __init__(self, word: Word | CommandError, *reads: Read, cached: dict[int, Held] | None = None) -> None:
        self.word = word
        self.reads = list(reads)
        self.known: dict[int, Held] | CommandError = cached or {}
        self.asked: list[int] = []
        self.is_hanging = False

    async def put(self, slot: int, pin: str) -> Word:
        assert (slot, pin) == (7, PIN)
        return await self.empty(slot)

    async def empty(self, slot: int) -> Word:
        assert slot == 7
        if isinstance(self.word, CommandError):
            raise self.word
        return self.word

    async def read(self, slot: int) -> Held | None:
        self.asked.append(slot)
        if self.is_hanging:
            await asyncio.Event().wait()
        read = self.reads.pop(0) if len(self.reads) > 1 else self.reads[0]
        if isinstance(read, CommandError):
            raise read
        return read

    async def cached(self) -> dict[int, Held]:
        if isinstance(self.known, CommandError):
            raise self.known
        return self.known


def exchange(lock: Lock, *, tells_pins: bool = True, speed: float = 100.0) -> tuple[Exchange, RecordingPort]:
    port = RecordingPort(clock=FastClock(speed))
    made = Exchange(
        book=lock,
        clock=port.clock,
        secrets=port.secrets,
        native_id="id",
        slot=7,
        tells_pins=tells_pins,
        seconds=5.0,
    )
    return made, port


def told(outcome: Outcome) -> tuple[OutcomeKind, str]:
    return outcome.kind, outcome.code


def holds(outcome: Outcome, port: RecordingPort) -> list[tuple[int, bool, str | None]]:
    codes = [seen for seen in outcome.seen if isinstance(seen, CodeSeen)]
    return [(one.slot, one.is_used, None if one.pin_ref is None else port.reveal(one.pin_ref)) for one in codes]


@pytest.mark.parametrize(
    ("word", "reads", "gets"),
    [
        (Word.STORED, [MINE], 1),
        (Word.NOTHING, [MINE], 1),
        (Word.NOTHING, [FOREIGN, MINE], 2),
        (Word.NOTHING, [EMPTY, MINE], 2),
        (Word.REFUSED, [MINE], 1),  # it was there already
    ],
)
async def test_done_is_what_the_lock_holds(word: Word, reads: list[Read], gets: int) -> None:
    lock = Lock(word, *reads)
    made, port = exchange(lock)
    outcome = await made.put(PIN)
    assert told(outcome) == (OutcomeKind.DONE, "done")
    assert holds(outcome, port) == [(7, True, PIN)]
    assert lock.asked == [7] * gets


@pytest.mark.parametrize(
    ("word", "reads", "cached", "code"),
    [
        (Word.STORED, [EMPTY], {}, "code_refused"),
        (Word.STORED, [FOREIGN], {}, "code_refused"),
        (Word.STORED, [Held(is_used=True, pin=PIN, is_enabled=False)], {}, "code_refused"),
        (Word.NOTHING, [EMPTY], {}, "code_refused"),
        (Word.REFUSED, [STARS], {}, "code_refused"),
        (Word.REFUSED, [None], {}, "code_refused"),
        (Word.RULES, [EMPTY], {}, "code_refused"),
        (Word.DUPLICATE, [EMPTY], {}, "duplicate_code"),
        (Word.DUPLICATE, [None], {}, "duplicate_code"),
        (Word.STORED, [EMPTY, MINE], {3: MINE}, "duplicate_code"),
        (Word.REFUSED, [EMPTY, MINE], {3: MINE}, "duplicate_code"),
        (Word.REFUSED, [EMPTY, FOREIGN], {3: MINE}, "code_refused"),  # what zwave-js knows was old
        (Word.REFUSED, [EMPTY, None], {3: MINE}, "code_refused"),
        (Word.REFUSED, [EMPTY], {7: MINE}, "code_refused"),
    ],
)
async def test_refusals(word: Word, reads: list[Read], cached: dict[int, Held], code: str) -> None:
    made, _ = exchange(Lock(word, *reads, cached=cached))
    outcome = await made.put(PIN)
    assert told(outcome) == (OutcomeKind.REJECTED, code)
    assert PIN not in repr(outcome)


async def test_a_refusal_tells_lengths_and_the_other_slot() -> None:
    lock = Lock(Word.NOTHING, FOREIGN, FOREIGN, MINE, cached={3: MINE})
    made, port = exchange(lock)
    outcome = await made.put(PIN)
    assert outcome.detail == {"slot": 7, "sent_length": 8, "held_length": 6, "other_slot": 3}
    assert holds(outcome, port) == [(7, True, OTHER), (3, True, PIN)]
    assert lock.asked == [7, 7, 3]


async def test_a_cache_that_cannot_be_asked_names_no_twin() -> None:
    lock = Lock(Word.DUPLICATE, EMPTY)
    lock.known = answer_lost()
    outcome = await exchange(lock)[0].put(PIN)
    assert (told(outcome), outcome.detail["other_slot"]) == ((OutcomeKind.REJECTED, "duplicate_code"), None)


async def test_the_locks_own_word_ends_the_wait() -> None:
    for is_duplicate, reads, ends in ((False, [MINE], "done"), (True, [EMPTY], "duplicate_code")):
        lock = Lock(Word.NOTHING, *reads)
        made, _ = exchange(lock, speed=1.0)
        asyncio.get_running_loop().call_later(0.02, functools.partial(made.told, is_duplicate=is_duplicate))
        async with asyncio.timeout(0.4):
            assert (await made.put(PIN)).code == ends
        assert lock.asked == [7]


async def test_stars_confirm_only_what_was_not_refused() -> None:
    made, port = exchange(Lock(Word.STORED, STARS))
    outcome = await made.put(PIN)
    assert (told(outcome), holds(outcome, port)) == ((OutcomeKind.DONE, "done"), [(7, True, None)])
    assert made.is_masked
    made, _ = exchange(Lock(Word.NOTHING, STARS))
    made.told(is_duplicate=True)
    assert told(await made.put(PIN)) == (OutcomeKind.REJECTED, "duplicate_code")


async def test_a_lock_that_tells_no_pins_is_quoted_with_none() -> None:
    made, port = exchange(Lock(Word.STORED, MINE), tells_pins=False)
    assert holds(await made.put(PIN), port) == [(7, True, None)]


DO: dict[str, Callable[[Exchange], Awaitable[Outcome]]] = {
    "put": lambda one: one.put(PIN),
    "clear": Exchange.clear,
    "read": Exchange.read,
}


@pytest.mark.parametrize("verb", DO)
async def test_silence_is_neither(verb: str) -> None:
    lock = Lock(Word.NOTHING, None)
    outcome = await DO[verb](exchange(lock)[0])
    assert told(outcome) == (OutcomeKind.SENT_UNCONFIRMED, "no_answer")
    assert outcome.seen == ()
    assert lock.asked == [7], "a lock that is silent is not asked again"
    lock.is_hanging = True
    outcome = await DO[verb](exchange(lock)[0])
    assert told(outcome) == (OutcomeKind.SENT_UNCONFIRMED, "no_answer")


async def test_an_error_counts_for_what_had_left_by_then() -> None:
    gone = CommandError(Kind.UNREACHABLE, "controller_lost", "It is gone.")
    with pytest.raises(CommandError):
        await exchange(Lock(gone, EMPTY))[0].put(PIN)
    with pytest.raises(CommandError):
        await exchange(Lock(Word.STORED, gone))[0].read()
    outcome = await exchange(Lock(Word.STORED, gone))[0].put(PIN)
    assert told(outcome) == (OutcomeKind.SENT_UNCONFIRMED, "controller_lost")


async def test_a_refusal_counts_also_if_the_lock_says_no_more() -> None:
    for read in (None, answer_lost()):
        outcome = await exchange(Lock(Word.RULES, read))[0].put(PIN)
        assert told(outcome) == (OutcomeKind.REJECTED, "code_refused")


async def test_a_lock_that_shows_the_old_code_and_then_nothing_proves_nothing() -> None:
    for read in (None, answer_lost()):
        lock = Lock(Word.NOTHING, FOREIGN, read)
        made, port = exchange(lock)
        outcome = await made.put(PIN)
        assert outcome.kind is OutcomeKind.SENT_UNCONFIRMED
        assert (lock.asked, holds(outcome, port)) == ([7, 7], [(7, True, OTHER)])


async def test_a_slot_is_cleared() -> None:
    made, port = exchange(Lock(Word.STORED, EMPTY))
    outcome = await made.clear()
    assert (told(outcome), holds(outcome, port)) == ((OutcomeKind.DONE, "done"), [(7, False, None)])
    for word in (Word.STORED, Word.NOTHING, Word.REFUSED):
        made, port = exchange(Lock(word, FOREIGN))
        outcome = await made.clear()
        assert told(outcome) == (OutcomeKind.REJECTED, "device_refused")
        assert holds(outcome, port) == [(7, True, OTHER)]


async def test_a_duplicate_at_the_keypad_says_nothing_of_a_slot_that_is_cleared() -> None:
    made, _ = exchange(Lock(Word.NOTHING, None))
    made.told(is_duplicate=True)
    assert told(await made.clear()) == (OutcomeKind.SENT_UNCONFIRMED, "no_answer")


def test_what_the_hub_is_told_is_sealed() -> None:
    port = RecordingPort()
    seen = seen_of(MINE, "id", 7, port.secrets, is_cached=True)
    assert PIN not in repr(seen)
    assert seen.pin_ref is not None
    assert port.reveal(seen.pin_ref) == PIN
    assert (seen.is_cached, seen_of(EMPTY, "id", 7, port.secrets).pin_ref) == (True, None)
