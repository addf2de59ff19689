from typing import Any

import msgspec
import pytest

from hubd.model import TimeFrame
from hubd.store.codes import (
    CodeBook,
    CodeRecord,
    Constraints,
    Doubt,
    Placement,
    SealedPin,
    Tampering,
    Trouble,
)
from tests.support.clock import NOON

FULL = CodeRecord(
    "c",
    "a",
    NOON,
    NOON,
    created_by="me",
    name="Gäst",
    pin=SealedPin(b"\x00\xff", b"\x01"),
    starts_at=NOON,
    ends_at=NOON,
    placement=Placement(3, "sent", NOON, b"\x02", TimeFrame(NOON, NOON), is_over=True, is_early=True),
    trouble=Trouble("failed_to_set_on_device", "No.", NOON, 2, NOON, "d"),
    tampering=Tampering("removed", NOON, 3),
    deleted_at=NOON,
)
BOOK = CodeBook(
    "a",
    unread=(1, 2),
    doubts=(Doubt(1, True, NOON, b"\x03"),),  # noqa: FBT003 - as the record has it
    hints=(4,),
    swept_slot=2,
    swept_at=NOON,
    has_backup_pool=True,
    foreign_changes=(NOON,),
    report=Constraints(4, 6, (4, 6)),
)


@pytest.mark.parametrize("record", [FULL, CodeRecord("c", "a", NOON, NOON), BOOK, CodeBook("a")])
def test_what_is_written_is_read_back(record: Any) -> None:
    assert msgspec.json.decode(msgspec.json.encode(record), type=type(record)) == record


def test_neither_a_pin_nor_its_mark_is_shown() -> None:
    pin = SealedPin(b"sealed-48213077", b"mark-of-it")
    assert repr(pin) == "SealedPin(…)"
    shown = repr(CodeRecord("c", "a", NOON, NOON, pin=pin))
    assert "48213077" not in shown
    assert "mark-of-it" not in shown


@pytest.mark.parametrize(("unread", "known"), [(None, []), ((), [1, 2, 3]), ((2,), [1, 3]), ((1, 2, 3), [])])
def test_a_slot_is_known_once_something_was_told_of_it(unread: tuple[int, ...] | None, known: list[int]) -> None:
    book = CodeBook("a", unread=unread)
    assert [slot for slot in (1, 2, 3) if book.is_known(slot)] == known
