import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from hubd.core.codes.wishes import Change, Wish
from hubd.core.keys import Key
from hubd.model import Capabilities, KeypadCapability, LockCapability, ReachabilitySeen, done, rejected
from hubd.store.records import DeviceRecord
from hubd.web import codes
from hubd.web.codes import CodeForm, CodeFrame, CodeHead, CodeLine, Stories, code_parts, one_code_parts
from hubd.web.desk import Lines
from hubd.web.parts import Part
from hubd.web.sessions import Session
from tests.hubd.web.stage import Stage, stage, until
from tests.hubd.web.test_board import OPERATOR, VIEWER, values
from tests.support.clock import NOON

SESSION = Session("k", 0.0)
HOUR = timedelta(hours=1)


async def look(site: Stage, record: DeviceRecord, key: Key = OPERATOR) -> dict[str, Part]:
    record = site.hub.devices[record.device.device_id]
    stories = Stories()
    await stories.read(site.desk, record.device.device_id)
    return {part.id: part for part in code_parts(site.desk, SESSION, key, record, stories)}


async def lines(site: Stage, record: DeviceRecord, key: Key = OPERATOR) -> dict[str, CodeLine]:
    parts = await look(site, record, key)
    return {line.name: line for line in (values(child, CodeLine) for child in parts["codes"].children)}


async def test_slots_and_codes_of_a_lock(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.keypad(held={4: "1234"})
        await site.code(lock, name="Guest", starts_at=NOON, ends_at=NOON + HOUR)
        await site.code(lock, name="Later", starts_at=NOON + HOUR, ends_at=NOON + 2 * HOUR)
        await site.code(lock, name="Cleaner")
        frame = values((await look(site, lock))["codes"], CodeFrame)
        assert frame.used.replace("\u00a0", " ") == "3 of 30 slots used"
        assert frame.shares == ("2 by the hub", "1 set at the lock", "27 free")
        found = await lines(site, lock)
        assert list(found) == ["Cleaner", "Guest", "Later", "Set at the lock"]
        assert {name: (line.state, line.slot) for name, line in found.items()} == {
            "Cleaner": ("Set", "2"),
            "Guest": ("Set", "1"),
            "Later": ("Not begun", ""),
            "Set at the lock": ("Left alone", "4"),
        }
        assert found["Later"].why == "It is put on the lock when it starts, 14:00:00."
        guest = found["Guest"]
        assert (guest.starts, guest.ends) == (site.desk.stamp(NOON), site.desk.stamp(NOON + HOUR))
        assert [line.text for line in guest.story] == [
            "The code “Guest” is set on Room 1 (slot 1).",
            "The code “Guest” was made for Room 1, from 2026-03-01 13:00 to 2026-03-01 14:00, by the configuration.",
        ]


async def test_a_code_that_waits_says_why_and_how_long(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.keypad()
        site.script.hold_codes = asyncio.Event()
        (code,) = await site.hub.codes.create([Wish(device_id=lock.device.device_id, name="Guest")], "config")
        await until(lambda: site.hub.codes.get(code.code_id).placement is not None)
        (line,) = (await lines(site, lock)).values()
        assert (line.state, line.why) == ("Being set", "It is on its way; the lock has not confirmed it yet.")
        assert line.wait.startswith("Expected in about ")
        await site.see(ReachabilitySeen(native_id="Room 1", online=False, reason="It sleeps."))
        (line,) = (await lines(site, lock)).values()
        assert (line.why, line.wait) == ("It sleeps.", "")
        site.script.hold_codes.set()


async def test_a_failure_is_told_with_the_next_try(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.keypad()
        site.script.answer_code = lambda _: rejected("code_refused", "The lock takes no such PIN.")
        await site.code(lock, name="Guest")
        line = (await lines(site, lock))["Guest"]
        assert (line.state, line.tone, line.errors) == ("Being set", "bad", ("The lock takes no such PIN.",))
        assert line.why.startswith("The last attempt failed; the next one is 13:0")
        assert "cannot be set on Room 1: The lock takes no such PIN." in line.story[0].text
        assert line.story[0].tone == "bad"


async def test_what_is_being_removed_and_what_is_gone(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.keypad()
        code = await site.code(lock, name="Guest")
        site.script.hold_codes = asyncio.Event()
        await site.hub.codes.delete(code.code_id, "config")
        line = (await lines(site, lock))["Guest"]
        assert (line.state, line.may, line.may_remove) == ("Being removed", True, False)
        site.script.hold_codes.set()
        await until(lambda: code.code_id not in site.hub.journal.tables.codes)
        parts = await look(site, lock)
        assert parts["codes"].children == ()
        (gone,) = values(parts["codes"], CodeFrame).gone
        assert (gone.code_id, gone.text) == (
            code.code_id,
            "The code “Guest” of Room 1 was deleted, by the configuration.",
        )


async def test_doubts_hints_and_slots_that_were_never_read(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.keypad()
        site.script.pins["Room 1", 9] = "9876"
        await site.see(site.script.read("Room 1", 9))
        frame = values((await look(site, lock))["codes"], CodeFrame)
        assert frame.doubts == ("Slot 9 was read differently 13:00:00; it is read once more.",)
        other = await site.lock("Room 2", ReachabilitySeen(native_id="Room 2", online=False, reason="It sleeps."))
        frame = values((await look(site, other))["codes"], CodeFrame)
        assert frame.shares == ("30 not read yet",)


async def test_a_lock_that_tells_no_pins(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        keypad = KeypadCapability(slots=2, min_length=6, max_length=6, tells_pins=False, reserved_slots=(2,))
        lock = await site.lock("Room 1", capabilities=Capabilities(lock=LockCapability(), keypad=keypad))
        site.script.answer_code = lambda _: done("The lock confirmed it.")
        await site.code(lock, name="Guest")
        parts = await look(site, lock)
        (line,) = (values(child, CodeLine) for child in parts["codes"].children)
        assert (line.state, line.tone) == ("Set, not readable", "ok")
        assert values(parts["codes"], CodeFrame).shares == ("1 by the hub", "1 reserved")
        form = values(parts["code-form"], CodeForm)
        assert (form.hint, form.pattern) == ("6 digits. Leave it empty to have the hub choose one.", "[0-9]{6}")


async def test_a_viewer_sees_how_codes_stand_and_can_do_nothing(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.keypad()
        await site.code(lock, name="Guest")
        line = (await lines(site, lock, VIEWER))["Guest"]
        assert (line.state, line.may, line.may_remove) == ("Set", False, False)
        assert not values((await look(site, lock, VIEWER))["code-form"], CodeForm).may


async def test_a_device_without_a_keypad_or_that_is_gone_has_no_section(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        assert await look(site, await site.thermostat("Climate")) == {}
        lock = await site.keypad()
        await site.hub.removed("radio", "Room 1", "It was excluded.")
        assert await look(site, lock) == {}


async def test_no_value_of_any_part_is_a_pin(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.keypad(held={4: "40404040"})
        code = await site.code(lock, name="Guest", pin="73519264")
        await site.hub.codes.update(code.code_id, Change(pin="86420975"), "config")
        parts = await look(site, lock)
        whole = repr((parts, await one_code_parts(site.desk, SESSION, OPERATOR, code.code_id)))
        assert "Guest" in whole
        assert [pin for pin in ("40404040", "73519264", "86420975") if pin in whole] == []


async def test_only_the_last_lines_of_a_story_stand_beside_a_code(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.keypad()
        code = await site.code(lock, name="Guest")
        for number in range(codes.STORY):
            await site.hub.codes.update(code.code_id, Change(name=f"Guest {number}"), "config")
        (line,) = (await lines(site, lock)).values()
        assert len(line.story) == codes.STORY
        parts = await one_code_parts(site.desk, SESSION, OPERATOR, code.code_id)
        assert parts is not None
        story = next(values(part, Lines) for part in parts if part.id == "story")
        assert len(story.lines) == codes.STORY + 2


async def test_the_page_of_one_code_outlives_it(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.keypad()
        code = await site.code(lock, name="Guest")
        await site.hub.codes.delete(code.code_id, "config")
        await until(lambda: code.code_id not in site.hub.journal.tables.codes)
        parts = await one_code_parts(site.desk, SESSION, OPERATOR, code.code_id)
        assert parts is not None
        head = next(values(part, CodeHead) for part in parts if part.id == "code")
        assert (head.name, head.device, head.line) == ("The code “Guest”", "Room 1", None)
        assert await one_code_parts(site.desk, SESSION, OPERATOR, "unknown") is None


@pytest.mark.parametrize(("lengths", "text"), [((4, 5, 6), "4 to 6"), ((6,), "6"), ((4, 6, 8), "4 or 6 or 8")])
def test_how_many_digits(lengths: tuple[int, ...], text: str) -> None:
    assert codes.length_words(lengths) == text
