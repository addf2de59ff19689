from datetime import timedelta
from typing import Any

import pytest
from hubd_drivers.virtual.keypad import Keypad, KeypadError, StoredCode
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hubd.model import CodeSeen, KeypadCapability, TimeFrame
from tests.support.clock import NOON

HOUR = timedelta(hours=1)
FRAME = TimeFrame(NOON, NOON + HOUR)


def keypad(slots: int = 3, **members: Any) -> Keypad:
    return Keypad(KeypadCapability(slots=slots, **members))


def pins(pad: Keypad) -> dict[int, str]:
    return {slot: code.pin for slot, code in pad.codes.items()}


def sealed(pin: str) -> str:
    return f"ref of {pin}"


def refused(pad: Keypad, slot: int, pin: str) -> str:
    before = dict(pad.codes)
    with pytest.raises(KeypadError) as caught:
        pad.put(slot, StoredCode(pin))
    assert pad.codes == before
    assert not pin or pin not in repr(caught.value)
    return caught.value.code


def test_a_slot_holds_the_last_code() -> None:
    pad = keypad()
    pad.put(2, StoredCode("4711"))
    pad.put(2, StoredCode("4711"))
    pad.put(2, StoredCode("081508"))
    assert pins(pad) == {2: "081508"}
    pad.clear(2)
    pad.clear(2)
    assert pad.codes == {}


def test_no_two_slots_hold_one_pin() -> None:
    pad = keypad()
    pad.put(1, StoredCode("4711"))
    assert refused(pad, 2, "4711") == "duplicate_code"


@pytest.mark.parametrize("pin", ["", "123", "123456789", "12a4", "12 4", "١٢٣٤"])
def test_what_is_no_pin_of_such_a_lock(pin: str) -> None:
    assert refused(keypad(), 1, pin) == "code_refused"


def test_only_the_lengths_that_it_takes() -> None:
    pad = keypad(lengths=(4, 6))
    assert refused(pad, 1, "12345") == "code_refused"
    pad.put(1, StoredCode("123456"))


@pytest.mark.parametrize("slot", [-1, 0, 4])
def test_a_slot_that_it_has_not_got(slot: int) -> None:
    pad = keypad()
    assert refused(pad, slot, "4711") == "slot_not_usable"
    for ask in (pad.clear, lambda slot: pad.read("lock-1", slot, sealed)):
        with pytest.raises(KeypadError, match="its slots are 1 to 3"):
            ask(slot)


def test_what_it_tells_of_a_slot() -> None:
    pad = keypad()
    pad.put(2, StoredCode("4711", FRAME))
    empty = [CodeSeen(native_id="lock-1", slot=slot, is_used=False) for slot in (1, 3)]
    used = CodeSeen(native_id="lock-1", slot=2, is_used=True, pin_ref="ref of 4711", frame=FRAME, is_frame_told=True)
    assert pad.read_all("lock-1", sealed) == (empty[0], used, empty[1])
    masked = Keypad(replace(pad.capability, tells_pins=False), pad.codes)
    assert masked.read("lock-1", 2, sealed) == replace(used, pin_ref=None)


@pytest.mark.parametrize(("after", "opens"), [(-timedelta(microseconds=1), False), (timedelta(), True), (HOUR, False)])
def test_a_time_frame_has_its_first_instant_and_not_its_end(after: timedelta, *, opens: bool) -> None:
    pad = keypad()
    pad.put(1, StoredCode("4711", FRAME))
    assert pad.use(1, NOON + after) is opens


def test_a_one_time_code_opens_once_and_only_in_its_time() -> None:
    pad = keypad()
    pad.put(1, StoredCode("4711", FRAME, is_one_time=True))
    assert [pad.use(1, at) for at in (NOON - HOUR, NOON, NOON)] == [False, True, False]
    assert pad.read("lock-1", 1, sealed).is_enabled is False
    pad.put(1, StoredCode("4711", is_one_time=True))
    assert pad.use(1, NOON)


def test_somebody_at_the_keypad() -> None:
    pad = keypad()
    assert pad.edit(None, "1111") == ("added", 1)
    assert pad.edit(3, "3333") == ("added", 3)
    assert pad.edit(None, "2222") == ("added", 2)
    with pytest.raises(KeypadError) as caught:
        pad.edit(None, "4444")
    assert caught.value.code == "no_space"
    assert pad.edit(3, "4444") == ("changed", 3)
    with pytest.raises(KeypadError) as caught:
        pad.edit(3, "1111")
    assert caught.value.code == "duplicate_code"
    assert (pad.edit(1, None), pad.edit(1, None)) == (("removed", 1), None)
    assert pins(pad) == {2: "2222", 3: "4444"}
    assert (pad.edit(None, None), pad.edit(None, None)) == (("removed", None), None)
    assert pad.codes == {}


def test_what_it_has_no_slot_for_any_more_is_gone() -> None:
    pad = keypad(slots=2)
    pad.restore({slot: StoredCode(f"{slot}111") for slot in range(4)})
    assert pins(pad) == {1: "1111", 2: "2111"}


def test_no_pin_is_shown() -> None:
    pad = keypad()
    pad.put(1, StoredCode("47110815", FRAME))
    assert "47110815" not in repr(pad) + str(pad)


@given(st.lists(st.tuples(st.integers(1, 3), st.sampled_from(["1111", "2222", "3333", None]))))
def test_whatever_is_put_a_pin_stands_once_and_is_found_where_it_is(edits: list[tuple[int, str | None]]) -> None:
    pad = keypad()
    for slot, pin in edits:
        if pin is None or pad.slot_of(pin) in {None, slot}:
            pad.edit(slot, pin)
        else:
            assert refused(pad, slot, pin) == "duplicate_code"
    held = list(pins(pad).values())
    assert len(held) == len(set(held))
    for known in ("1111", "2222", "3333"):
        found = pad.slot_of(known)
        assert (found is not None) == (known in held)
        assert found is None or pad.codes[found].pin == known


def test_a_reserved_slot_is_neither_written_nor_read() -> None:
    pad = keypad(slots=2, reserved_slots=(1,))
    assert refused(pad, 1, "4711") == "slot_not_usable"
    assert pad.edit(None, "4711") == ("added", 2)
    assert [seen.slot for seen in pad.read_all("lock", sealed)] == [2]
    with pytest.raises(KeypadError) as caught:
        pad.read("lock", 1, sealed)
    assert caught.value.code == "slot_not_usable"
