from hubd.core.codes.slots import Filling, Slot, filling, slots
from hubd.model import KeypadCapability
from hubd.store.codes import CodeBook, CodeRecord, Doubt, Placement
from tests.support.clock import NOON

KEYPAD = KeypadCapability(slots=6, reserved_slots=(6,))


def code(code_id: str, slot: int | None, *, is_managed: bool = True) -> CodeRecord:
    placed = None if slot is None else Placement(slot, "set", NOON)
    return CodeRecord(code_id, "d", NOON, NOON, is_managed=is_managed, placement=placed)


def test_every_slot_says_what_it_holds_and_what_is_in_doubt() -> None:
    book = CodeBook("d", unread=(4,), doubts=(Doubt(3, is_used=True, at=NOON),), hints=(1,))
    codes = [code("a", 1), code("b", 2, is_managed=False), code("c", None)]
    found = slots(KEYPAD, codes, book)
    assert found == [
        Slot(1, "managed", "a", is_hinted=True),
        Slot(2, "unmanaged", "b"),
        Slot(3, "free", doubted_at=NOON),
        Slot(4, "unread"),
        Slot(5, "free"),
        Slot(6, "reserved"),
    ]
    assert filling(found) == Filling(total=6, managed=1, unmanaged=1, reserved=1, unread=1, free=2)


def test_a_lock_that_told_nothing_yet_has_no_free_slot() -> None:
    found = filling(slots(KEYPAD, [], CodeBook("d")))
    assert (found.free, found.unread, found.reserved) == (0, 5, 1)


def test_a_code_stands_in_its_slot_whatever_else_is_known_of_that() -> None:
    (slot, *_) = slots(KEYPAD, [code("a", 1)], CodeBook("d"))
    assert (slot.holding, slot.code_id) == ("managed", "a")
