"""What is told of a code: the public type of each event, the code's own history, and no PIN in either."""

from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from msgspec.structs import replace

from hubd.core.codes.story import HISTORY, MISUSED, CodeEvent, edits_of, prune, public_type, rows, tell
from hubd.model.event import (
    BackupPulled,
    CodeConverted,
    CodeCreated,
    CodeDelayed,
    CodeEdited,
    CodeFailed,
    CodeGone,
    CodeMisused,
    CodePlaced,
    CodeTakenOff,
    CodeTampered,
    Edit,
    Event,
)
from hubd.store.records import micros
from tests.hubd.core.codes.scene import DEVICE, OTHER, PIN, Scene
from tests.support.clock import NOON, ManualClock
from tests.support.seam_schema import _FILE as SCHEMA
from tests.support.store import device, open_journal
from tests.support.store import tell as write

HOUR = timedelta(hours=1)
NAMED = CodeEdited(code_id="c", edits=(Edit("name", "A", "B"),))

PUBLIC: list[tuple[CodeEvent, str | None]] = [
    (CodeCreated(code_id="c"), "created"),
    (CodeCreated(code_id="c", is_managed=False, slot=1), "unmanaged.created"),
    (NAMED, "changed"),
    (CodeEdited(code_id="c", edits=()), "mutations_requested"),
    (CodePlaced(code_id="c", slot=1), "set_on_device"),
    (CodePlaced(code_id="c", slot=1, is_early=True), "scheduled_on_device"),
    (CodeTakenOff(code_id="c", slot=1, reason="ended"), "removed_from_device"),
    (CodeGone(code_id="c", reason="deleted"), "deleted"),
    (CodeGone(code_id="c", reason="removed_externally", is_managed=False), "unmanaged.removed"),
    (CodeFailed(code_id="c", error_code="failed_to_set_on_device", message="x"), "failed_to_set_on_device"),
    (CodeFailed(code_id="c", error_code="duplicate_code_on_device", message="x"), "failed_to_set_on_device"),
    (CodeFailed(code_id="c", error_code="failed_to_remove_from_device", message="x"), "failed_to_remove_from_device"),
    (CodeDelayed(code_id="c", doing="setting", reason="x"), "delay_in_setting_on_device"),
    (CodeDelayed(code_id="c", doing="removing", reason="x"), "delay_in_removing_from_device"),
    (CodeTampered(code_id="c", change="changed", slot=1), "modified_external_to_seam"),
    (CodeTampered(code_id="c", change="removed", slot=1), "deleted_external_to_seam"),
    (CodeConverted(code_id="c", is_managed=True), "unmanaged.converted_to_managed"),
    (CodeConverted(code_id="c", is_managed=False), None),
    (BackupPulled(code_id="c", backup_id="b"), "backup_access_code_pulled"),
    (CodeMisused(code_id="c", slot=1), "used_outside_time_frame"),
]


@pytest.mark.parametrize(("event", "expected"), PUBLIC, ids=lambda value: str(value)[:40])
def test_each_event_has_seams_type(event: CodeEvent, expected: str | None) -> None:
    public = public_type(event)
    assert public == (None if expected is None else f"access_code.{expected}")
    assert rows(event)[0] == (public, event)


def test_no_kind_of_event_is_left_out_and_every_type_is_one_that_seam_has() -> None:
    assert {type(event) for event, _ in PUBLIC} == set(get_args(CodeEvent.__value__))
    known = SCHEMA.read_text("utf-8")
    types = {f"access_code.{name}" for _, name in PUBLIC if name is not None}
    edited = CodeEdited(code_id="c", edits=tuple(map(Edit, ("name", "code", "starts_at"))))
    types |= {public for public, _ in rows(edited) if public is not None}
    assert {public for public in types if f'"{public}"' not in known} == {MISUSED}


def test_an_edit_is_told_once_for_each_kind_of_it_with_what_belongs_to_it() -> None:
    edits = (Edit("starts_at", "a", "b"), Edit("name", "A", "B"), Edit("ends_at", "c", "d"), Edit("code"))
    told = rows(CodeEdited(code_id="c", edits=edits, by="me"))
    assert [public and public.removeprefix("access_code.") for public, _ in told] == [
        *("changed", "time_frame_changed", "name_changed", "code_changed")
    ]
    frames = told[1][1]
    assert isinstance(frames, CodeEdited)
    assert ([edit.property for edit in frames.edits], frames.by) == (["starts_at", "ends_at"], "me")
    (only,) = rows(CodeEdited(code_id="c", edits=(Edit("is_external_modification_allowed", "false", "true"),)))
    assert only[0] == "access_code.changed"


# -- what differs


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, ()),
        ({"name": "B"}, (Edit("name", None, "B"),)),
        ({"is_external_modification_allowed": True}, (Edit("is_external_modification_allowed", "false", "true"),)),
        ({"changed_at": NOON + HOUR, "is_delay_told": True, "prefers_native": False}, ()),
        (
            {"ends_at": NOON + HOUR, "starts_at": NOON},
            (Edit("starts_at", None, "2026-03-01T12:00:00Z"), Edit("ends_at", None, "2026-03-01T13:00:00Z")),
        ),
    ],
)
def test_what_differs_between_two_wishes(members: Any, expected: tuple[Edit, ...]) -> None:
    before = Scene().made()
    assert edits_of(before, replace(before, **members)) == expected


def test_of_a_frame_both_ends_are_told_even_if_one_moved() -> None:
    before = Scene().made(starts_at=NOON, ends_at=NOON + HOUR)
    edits = edits_of(before, replace(before, ends_at=NOON + 2 * HOUR))
    assert [(edit.property, edit.before == edit.after) for edit in edits] == [("starts_at", True), ("ends_at", False)]


def test_of_a_pin_it_is_told_only_that_it_differs() -> None:
    scene = Scene()
    before = scene.made(pin=PIN)
    again, other = scene.keeper.seal("c", PIN), scene.keeper.seal("c", OTHER)
    assert edits_of(before, replace(before, pin=again)) == ()
    for pin in (other, None):
        assert edits_of(before, replace(before, pin=pin)) == edits_of(replace(before, pin=pin), before)
        assert edits_of(before, replace(before, pin=pin)) == (Edit("code"),)


# -- the rows


@pytest.mark.parametrize("is_managed", [True, False])
def test_what_is_told_stands_in_the_journal_and_in_the_history(*, is_managed: bool) -> None:
    scene = Scene(is_managed=is_managed)
    code = scene.made()
    edited = CodeEdited(code_id="c", edits=(Edit("name", "A", "B"), Edit("code")))
    _, events = scene.transact(lambda view: tell(view, code, edited))
    assert len(events) == 3
    assert scene.public == (
        [f"access_code.{name}" for name in ("changed", "name_changed", "code_changed")] if is_managed else [None] * 3
    )
    ((code_id, device_id, at, kind, body),) = scene.history
    assert (code_id, device_id, at, kind) == ("c", DEVICE, micros(NOON), "code.edited")
    assert msgspec.json.decode(body, type=Event) == edited


def test_a_code_of_a_device_that_is_unknown_is_told_to_nobody_outside() -> None:
    scene = Scene()
    orphan = scene.made(device_id="b")
    scene.transact(lambda view: tell(view, orphan, CodeGone(code_id="c", reason="deleted")))
    assert (scene.public, scene.history[0][1]) == ([None], "b")


async def test_a_history_is_kept_for_a_year_whatever_becomes_of_the_code(tmp_path: Path) -> None:
    clock, scene = ManualClock(), Scene()
    code = scene.made()
    sql = "SELECT type FROM code_history ORDER BY id"
    async with open_journal(tmp_path / "x.sqlite", clock) as journal:
        await write(journal, found())
        await journal.transact(lambda view: tell(view, code, CodeCreated(code_id="c")))
        clock.step(HOUR.total_seconds())
        await journal.transact(lambda view: tell(view, code, CodeGone(code_id="c", reason="deleted")))
        clock.step((HISTORY - HOUR).total_seconds())
        await journal.transact(prune)
        assert await journal.database.read(sql) == [("code.created",), ("code.gone",)]
        clock.step(1)
        await journal.transact(prune)
        assert await journal.database.read(sql) == [("code.gone",)]


async def test_what_was_written_by_a_clock_in_the_past_is_kept_as_long_as_what_stands_before_it(tmp_path: Path) -> None:
    clock, sql = ManualClock(), "SELECT type FROM code_history ORDER BY id"
    async with open_journal(tmp_path / "hub.db", clock) as journal:
        code = Scene().made()
        await journal.transact(lambda view: tell(view, code, CodeCreated(code_id="c")))
        clock.step(-50 * 366 * 24 * 3600)
        await journal.transact(lambda view: tell(view, code, CodePlaced(code_id="c", slot=1)))
        clock.step(50 * 366 * 24 * 3600)
        await journal.transact(prune)
        assert await journal.database.read(sql) == [("code.created",), ("code.placed",)]


def found() -> Any:
    return msgspec.json.decode(
        msgspec.json.encode({"type": "device.found", "device": device(DEVICE), "is_managed": True}), type=Event
    )
