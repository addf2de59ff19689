"""What is looked at when a run is over: calm, the story of every code, and that no PIN was written anywhere."""

import re
from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING

from hubd.core.codes.plan import DUPLICATE
from hubd.core.hub import Hub
from hubd.core.pauses import PAUSES
from tests.sims.locks import SimLock

if TYPE_CHECKING:
    from tests.support.year import Year

HOUR = 3600
CALM = 6 * HOUR
DAY = 24 * HOUR


async def look_calm(year: "Year") -> None:
    """R5: with nothing due, nothing is planned, and nothing is sent but the sweep."""
    if any(moved.by == "person" for lock in year.locks for moved in lock.log):
        await year.wait(1.5 * DAY)  # so that the sweep has found it
    if year.rules.has_edge_within(-2 * HOUR, CALM + HOUR):
        return
    hub = year.hub
    assert hub is not None
    refused: dict[str, int] = {}
    for device_id, record in hub.devices.items():
        plan = hub.codes.plan(device_id)
        assert plan is not None
        twins = _refused(hub, device_id)
        refused[record.device.description.native_id] = len(twins)
        assert [step for step in plan.steps if step.code_id not in {None, *twins}] == [], "R5: something is due"
    before = {lock.native_id: (lock.sets, lock.clears, lock.reads) for lock in year.locks}
    await year.wait(CALM)
    for lock in year.locks:
        _check_calm(lock, *before[lock.native_id], refused[lock.native_id])


def _refused(hub: Hub, device_id: str) -> set[str]:
    """Return the codes whose PIN a lock has by somebody else's hand: they stay due, and are tried now and then."""
    codes = hub.journal.tables.codes_of(device_id)
    return {c.code_id for c in codes if c.trouble is not None and c.trouble.code == DUPLICATE}


def _check_calm(lock: SimLock, sets: int, clears: int, reads: int, refused: int) -> None:
    tries = refused * ceil(CALM / (PAUSES[-1] * 0.9) + 1)
    assert lock.sets - sets <= tries, f"R5: {lock.native_id} was written, and nothing was due"
    assert lock.clears == clears, f"R5: {lock.native_id} was emptied, and nothing was due"
    usable = lock.keypad.slots - len(lock.keypad.reserved_slots)
    most = ceil(CALM / DAY * lock.keypad.slots) + 1
    assert lock.reads - reads <= most, f"R5: {lock.reads - reads} readings of {usable} slots within {CALM / HOUR} h"


_CAUSES = {"code.edited", "code.tampered", "code.converted", "code.backup_pulled"}


async def look_back(year: "Year") -> None:
    """R6 and R8, over the whole run."""
    hub, database = year.hub, year.database
    assert hub is not None
    assert database is not None
    stories: dict[str, list[tuple[str, str]]] = {}
    for code_id, kind, body in await database.read("SELECT code_id, type, body FROM code_history ORDER BY id"):
        stories.setdefault(code_id, []).append((kind, bytes(body).decode()))
    has_person = any(moved.by == "person" for lock in year.locks for moved in lock.log)
    for code_id, story in stories.items():
        is_accused = any(kind == "code.tampered" for kind, _ in story)
        assert has_person or not is_accused, "R6: nobody touched a keypad, and somebody is said to have"
        check_story([kind for kind, _ in story], is_alive=code_id in hub.journal.tables.codes)
    bodies = [bytes(body or b"").decode() for (body,) in await database.read("SELECT body FROM journal")]
    told = [body for story in stories.values() for _, body in story]
    check_words("\n".join([*year.log.lines, *bodies, *told]), year.rules.pins())


def check_story(story: list[str], *, is_alive: bool) -> None:
    """R6: one beginning, at most one end, and what is set is removed before it is set again."""
    assert story[0] == "code.created", f"R6: a story begins with {story[0]}"
    assert story.count("code.created") == 1, f"R6: created twice: {story}"
    assert story.count("code.gone") == (0 if is_alive else 1), f"R6: a wrong end: {story}"
    assert is_alive or story[-1] == "code.gone", f"R6: something after the end: {story}"
    moves = [kind for kind in story if kind in {"code.placed", "code.taken_off"} | _CAUSES]
    for one, next_ in pairwise(moves):
        assert not (one == next_ == "code.taken_off"), f"R6: removed twice: {story}"


def check_words(text: str, pins: set[str]) -> None:
    """R8: no PIN is written down in the clear. What stands within a longer number or an id is none."""
    pattern = r"(?<![0-9a-z.:-])(?:" + "|".join(sorted(pins)) + r")(?![0-9a-z-])"
    found = re.search(pattern, text)
    assert found is None, "R8: a PIN is written down"
