"""What may befall a site with locks: operations as values, drawn by Hypothesis, printed as they are written."""

from typing import Literal, NamedTuple

from hypothesis import strategies as st

from tests.sims.locks import Fault

MINUTE, HOUR, DAY = 60, 3600, 86_400


class Wait(NamedTuple):
    """Let time pass."""

    seconds: int


class Create(NamedTuple):
    """Wish a code; `starts_in` None: an ongoing one. `pin` None: the hub chooses one; else one of a few."""

    lock: int
    starts_in: int | None = None
    lasts: int = HOUR
    pin: int | None = None
    is_open: bool = False
    """Changes from outside are allowed."""
    prefers_native: bool = True


class Move(NamedTuple):
    """Move the time frame of a wish; `seconds` None: the code becomes ongoing."""

    code: int
    seconds: int | None


class Cut(NamedTuple):
    """Have a wish end in so many seconds, sooner or later than it would; an ongoing one becomes time-bound."""

    code: int
    seconds: int


class Repin(NamedTuple):
    """Give a wish another PIN."""

    code: int
    pin: int | None = None


class Delete(NamedTuple):
    """Delete a wish."""

    code: int


class Convert(NamedTuple):
    """Have the hub keep a code that was found on a lock, or leave one alone."""

    code: int
    is_managed: bool = True


class DeleteFound(NamedTuple):
    """Delete a code that was found on a lock."""

    code: int


class Pool(NamedTuple):
    """Have spare codes kept on a lock, or not."""

    lock: int
    is_wanted: bool = True


class Pull(NamedTuple):
    """Pull the spare code of a wish."""

    code: int


class Hand(NamedTuple):
    """Change a slot at the keypad; `pin` None: empty it."""

    lock: int
    slot: int
    pin: int | None = None
    is_told: bool = False


class Lie(NamedTuple):
    """Have a lock say once of a slot that it is empty, which it is not."""

    lock: int
    slot: int


class Break(NamedTuple):
    """Have a lock fail in some way for a while."""

    lock: int
    fault: Fault
    seconds: int


class Leave(NamedTuple):
    """Have a lock not be reached for a while; its driver may tell that it is gone, and tells that it is back."""

    lock: int
    seconds: int
    is_told: bool = True


class Unplug(NamedTuple):
    """Take the radio away for a while."""

    seconds: int
    is_late: bool = False


class Crash(NamedTuple):
    """Kill the hub at a commit from now on (0: at once), and start it again after a while."""

    at_commit: int
    is_kept: bool = True
    """That commit is on the disk."""
    is_late: bool = False
    """What was under way still reaches its lock."""
    seconds: int = 0


class PowerCut(NamedTuple):
    """Have the machine lose its power; without an RTC its clock shows when that was, until a server says better."""

    seconds: int
    has_rtc: bool = True
    unsure: int = 0


class Disk(NamedTuple):
    """Have the disk refuse writes for a while."""

    seconds: int


class Step(NamedTuple):
    """Set the wall clock by some seconds, within the tolerance."""

    seconds: int


class Slip(NamedTuple):
    """Set the wall clock wrong by far, and back after a while, before it counts."""

    hours: int
    seconds: int


type Operation = (
    Wait
    | Create
    | Move
    | Cut
    | Repin
    | Delete
    | Convert
    | DeleteFound
    | Pool
    | Pull
    | Hand
    | Lie
    | Break
    | Leave
    | Unplug
    | Crash
    | PowerCut
    | Disk
    | Step
    | Slip
)

_LOCK = st.integers(0, 3)
_CODE = st.integers(0, 7)
_PIN = st.none() | st.integers(0, 5)
_SHORT = st.sampled_from([1, 3, 10, 30, 100])
_WHILE = st.sampled_from([5, 30, 90, 400, 30 * MINUTE, 3 * HOUR, 2 * DAY])
_WAITS = st.sampled_from([0, 0, 1, 2, 5, 9, 40, 40, 100, 10 * MINUTE, HOUR, 5 * HOUR, DAY, 3 * DAY])
_STARTS = st.none() | st.sampled_from([0, 20, 10 * MINUTE, 2 * HOUR, 2 * DAY, 5 * DAY])
_LASTS = st.sampled_from([30, 10 * MINUTE, 3 * HOUR, 2 * DAY, 7 * DAY])


def _create() -> st.SearchStrategy[Operation]:
    is_open, is_native = st.sampled_from([False, False, True]), st.sampled_from([True, True, False])
    return st.builds(Create, _LOCK, _STARTS, _LASTS, _PIN, is_open, is_native)


def _fault(kind: Literal["refuse", "mute", "deaf"]) -> st.SearchStrategy[Operation]:
    return st.builds(Break, _LOCK, st.just(kind), _WHILE)


_REST: tuple[st.SearchStrategy[Operation], ...] = (
    st.builds(Wait, st.just(20 * DAY)),
    st.builds(Move, _CODE, st.none() | st.sampled_from([-3 * HOUR, -MINUTE, MINUTE, 3 * HOUR, 3 * DAY])),
    st.builds(Cut, _CODE, st.sampled_from([5, 90, HOUR, DAY])),
    st.builds(Repin, _CODE, _PIN),
    st.builds(Delete, _CODE),
    st.builds(Convert, _CODE, st.booleans()),
    st.builds(DeleteFound, _CODE),
    st.builds(Pool, _LOCK, st.booleans()),
    st.builds(Pull, _CODE),
    st.builds(Hand, _LOCK, st.integers(1, 6), _PIN, st.booleans()),
    st.builds(Lie, _LOCK, st.integers(1, 4)),
    _fault("refuse"),
    _fault("mute"),
    _fault("deaf"),
    st.builds(Leave, _LOCK, _WHILE, st.booleans()),
    st.builds(Unplug, _SHORT | st.just(30 * MINUTE), st.booleans()),
    st.builds(Crash, st.integers(0, 6), st.booleans(), st.booleans(), st.just(0) | _WHILE),
    st.builds(PowerCut, _WHILE, st.booleans(), st.sampled_from([0, 30, HOUR])),
    st.builds(Disk, _SHORT),
    st.builds(Step, st.sampled_from([-30, -5, 5, 30])),
    st.builds(Slip, st.sampled_from([-48, -2, 2, 48]), st.sampled_from([3, 60, 300])),
)

_NOTHING: st.SearchStrategy[Operation] = st.just(Wait(0))
# What fails is made shorter by putting nothing in the place of something: all scripts are drawn equally long.
_OPERATION: st.SearchStrategy[Operation] = st.one_of(_NOTHING, *(_create() for _ in range(8)), *_REST)


def _flat(pairs: list[tuple[Operation, int]]) -> list[Operation]:
    """Leave out waits for nothing."""
    steps = (one for operation, wait in pairs for one in (operation, Wait(wait)))
    return [one for one in steps if not (isinstance(one, Wait) and one.seconds == 0)]


def script(length: int) -> st.SearchStrategy[list[Operation]]:
    """Draw up to so many operations with time in between."""
    return st.lists(st.tuples(_OPERATION, _WAITS), min_size=length, max_size=length).map(_flat)
