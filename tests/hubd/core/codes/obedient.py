"""A lock that does what it is told, on records alone."""

from datetime import datetime

from msgspec.structs import replace

from hubd.core.codes.plan import Step, frame_for, is_over
from hubd.model import KeypadCapability
from hubd.store.codes import CodeBook, CodeRecord, Placement


def apply(step: Step, codes: dict[str, CodeRecord], book: CodeBook, keypad: KeypadCapability, at: datetime) -> CodeBook:
    """Carry out a step on a lock that does what it is told, and was told before."""
    known = codes.get(step.code_id or "")
    if step.kind == "read":
        there = next((c for c in codes.values() if c.placement is not None and c.placement.slot == step.slot), None)
        if there is not None and there.placement is not None and there.placement.state != "set":
            is_gone = there.placement.state == "clearing"
            known, placed = there, None if is_gone else replace(there.placement, state="set", is_enabled=True)
            codes[known.code_id] = replace(known, placement=placed, trouble=None)
        every = [slot for slot in range(1, keypad.slots + 1) if slot not in keypad.reserved_slots]
        book = replace(
            book,
            unread=tuple(s for s in (every if book.unread is None else book.unread) if s != step.slot),
            hints=tuple(s for s in book.hints if s != step.slot),
            doubts=tuple(d for d in book.doubts if d.slot != step.slot),
        )
        if step.code_id is None:
            book = replace(book, swept_slot=step.slot, swept_at=at)
    elif step.kind == "set":
        assert known is not None
        assert known.pin is not None
        placed = Placement(step.slot, "set", at, known.pin.mark, frame_for(known, keypad))
        codes[known.code_id] = replace(known, placement=placed, trouble=None)
    else:
        assert known is not None
        codes[known.code_id] = replace(known, placement=None, trouble=None)
    for code_id, each in list(codes.items()):
        if each.placement is None and is_over(each, at):
            del codes[code_id]
    return book
