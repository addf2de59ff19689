"""The checks of codes tell a good driver from a bad one, as `test_contract` does for the rest."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from hubd.driver import Port
from hubd.driver.code_checks import check_codes_seen, usable
from hubd.driver.contract import DriverContract
from hubd.model import (
    ClearCode,
    CodeSeen,
    Command,
    KeypadCapability,
    Outcome,
    OutcomeKind,
    ReadCode,
    SetCode,
    TimeFrame,
    done,
    rejected,
    sent_unconfirmed,
)
from tests.hubd.driver.good import MASKED, OPEN, Good, site

type CodeOrder = SetCode | ClearCode | ReadCode


class Unproven(Good):
    """Says DONE, and shows nothing."""

    def codes_of(self, command: CodeOrder) -> Outcome:
        outcome = super().codes_of(command)
        return replace(outcome, seen=()) if isinstance(command, SetCode) else outcome


class Cached(Good):
    """Asks whoever stands between, not the lock."""

    def seen(self, native_id: str, slot: int) -> CodeSeen:
        return replace(super().seen(native_id, slot), is_cached=True)


class Unsure(Good):
    """Never waits for the proof."""

    def codes_of(self, command: CodeOrder) -> Outcome:
        outcome = super().codes_of(command)
        return sent_unconfirmed("It was sent.") if isinstance(command, SetCode) else outcome


class Jealous(Good):
    """Takes a PIN over itself for a duplicate."""

    def codes_of(self, command: CodeOrder) -> Outcome:
        if isinstance(command, SetCode):
            pin = self.living.secrets.reveal(command.pin_ref)
            if any(held[0] == pin for held in self.codes.get(command.native_id, {}).values()):
                return rejected("duplicate_code", "The lock has it already.")
        return super().codes_of(command)


class Fussy(Good):
    """Will not clear what is empty."""

    def codes_of(self, command: CodeOrder) -> Outcome:
        if isinstance(command, ClearCode) and command.slot not in self.codes.get(command.native_id, {}):
            return rejected("slot_empty", "The slot is empty.")
        return super().codes_of(command)


class Keeps(Good):
    """Does not clear at all."""

    def codes_of(self, command: CodeOrder) -> Outcome:
        if isinstance(command, ClearCode):
            return done(seen=(CodeSeen(native_id=command.native_id, slot=command.slot, is_used=False),))
        return super().codes_of(command)


class Garbles(Good):
    """Cuts a long PIN."""

    def codes_of(self, command: CodeOrder) -> Outcome:
        if isinstance(command, SetCode):
            pin = self.living.secrets.reveal(command.pin_ref)
            command = replace(command, pin_ref=self.living.secrets.seal(pin[:6]))
        return super().codes_of(command)


class Asleep(Good):
    """Leaves the PIN disabled."""

    def seen(self, native_id: str, slot: int) -> CodeSeen:
        return replace(super().seen(native_id, slot), is_enabled=False)


class Stars(Good):
    """Takes the stars of a masked lock for a PIN."""

    def seen(self, native_id: str, slot: int) -> CodeSeen:
        seen = super().seen(native_id, slot)
        return replace(seen, pin_ref=self.living.secrets.seal("****")) if seen.is_used else seen


class Careless(Good):
    """Lets the same PIN in twice, and says it refused."""

    def codes_of(self, command: CodeOrder) -> Outcome:
        codes = self.codes.setdefault(command.native_id, {})
        outcome = super().codes_of(command)
        if isinstance(command, SetCode) and outcome.code == "duplicate_code":
            codes[command.slot] = self.living.secrets.reveal(command.pin_ref), None
        return outcome


class Vague(Good):
    """Knows no reason."""

    def codes_of(self, command: CodeOrder) -> Outcome:
        outcome = super().codes_of(command)
        return replace(outcome, code="failed") if outcome.code == "duplicate_code" else outcome


class AllSlots(Good):
    """Clears the whole lock for slot 0, as User Code does."""

    def codes_of(self, command: CodeOrder) -> Outcome:
        if isinstance(command, ClearCode) and command.slot == 0:
            self.codes.clear()
        return super().codes_of(command)


class Agrees(Good):
    """Takes every slot for one of the lock's."""

    def codes_of(self, command: CodeOrder) -> Outcome:
        return done() if command.slot == 0 else super().codes_of(command)


class Surprised(Good):
    """Counts on every PIN."""

    def codes_of(self, command: CodeOrder) -> Outcome:
        if isinstance(command, SetCode):
            self.living.secrets.reveal(command.pin_ref)
        return super().codes_of(command)


class OtherFrame(Good):
    """Takes the frame for local time."""

    def codes_of(self, command: CodeOrder) -> Outcome:
        if isinstance(command, SetCode) and command.frame is not None:
            hour = timedelta(hours=1)
            frame = TimeFrame(command.frame.starts_at + hour, command.frame.ends_at + hour)
            command = replace(command, frame=frame)
        return super().codes_of(command)


class OldFrame(Good):
    """Leaves the frame of the code before."""

    def codes_of(self, command: CodeOrder) -> Outcome:
        if isinstance(command, SetCode) and command.frame is None:
            before = self.codes.get(command.native_id, {}).get(command.slot)
            command = replace(command, frame=before and before[1])
        return super().codes_of(command)


class Talks(Good):
    """Writes the PIN into the detail."""

    def codes_of(self, command: CodeOrder) -> Outcome:
        outcome = super().codes_of(command)
        if isinstance(command, SetCode) and outcome.kind is OutcomeKind.DONE:
            return replace(outcome, detail={"sent": f"userCode={self.living.secrets.reveal(command.pin_ref)}"})
        return outcome


class Logs(Good):
    """Logs the PIN."""

    def codes_of(self, command: CodeOrder) -> Outcome:
        outcome = super().codes_of(command)
        if isinstance(command, SetCode) and outcome.kind is OutcomeKind.DONE:
            logging.getLogger("acme.wire").debug("-> set %s", self.living.secrets.reveal(command.pin_ref))
        return outcome


class Invents(Good):
    """Tells of a slot that is the master's when it starts."""

    async def run(self, port: Port) -> None:
        self.port = port
        await port.publish(CodeSeen(native_id="a", slot=10, is_used=True))
        await super().run(port)


class Loses(Good):
    """Raises for a device that is gone."""

    async def execute(self, command: Command) -> Outcome:
        if isinstance(command, ReadCode) and command.native_id not in self.native_ids:
            raise KeyError(command.native_id)
        return await super().execute(command)


SET, TWICE = "test_codes_are_set_and_cleared", "test_duplicate_code_is_refused"
SLOT, FRAME = "test_unknown_slot_is_refused", "test_time_frame_is_taken"


@pytest.mark.parametrize(
    ("check", "bad", "error", "match"),
    [
        (SET, Unproven, AssertionError, "nothing was seen of slot 9"),
        (SET, Cached, AssertionError, "was not read from the lock"),
        (SET, Unsure, AssertionError, "sent_unconfirmed"),
        (SET, Jealous, AssertionError, "duplicate_code"),
        (SET, Fussy, AssertionError, "slot_empty"),
        (SET, Keeps, AssertionError, "is_used is True"),
        (SET, Garbles, AssertionError, "another PIN was read back"),
        (SET, Asleep, AssertionError, "does not open"),
        (SET, Stars, AssertionError, "another PIN was read back"),
        (SET, Talks, AssertionError, "an outcome holds a PIN"),
        (SET, Logs, AssertionError, "a PIN was logged"),
        (TWICE, Careless, AssertionError, "is_used is True"),
        (TWICE, Vague, AssertionError, "failed"),
        (SLOT, AllSlots, AssertionError, "is_used is False"),
        (SLOT, Agrees, AssertionError, "slot 0"),
        ("test_unknown_pin_is_refused", Surprised, KeyError, "no-such-pin"),
        (FRAME, OtherFrame, AssertionError, "the lock keeps to"),
        (FRAME, OldFrame, AssertionError, "the frame is still there"),
        ("test_announces_whole_devices", Invents, AssertionError, "the slot is reserved"),
        ("test_unknown_device", Loses, KeyError, "no-such-device"),
    ],
)
async def test_a_bad_driver_fails(check: str, bad: type[Good], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        await getattr(DriverContract(), check)(site(bad()))


async def test_a_lock_is_left_as_it_was_found() -> None:
    driver = Good()
    driver.codes["a"] = {1: ("0000", None), 9: ("9999", None)}
    for check in (SET, TWICE, SLOT, FRAME):
        await getattr(DriverContract(), check)(site(driver))
    assert driver.codes == {"a": {1: ("0000", None), 9: ("9999", None)}, "b": {}}


async def test_only_a_device_without_such_a_keypad_is_skipped() -> None:
    driver = Good()
    driver.keypads = {"a": None, "b": MASKED}
    await DriverContract().test_codes_are_set_and_cleared(site(driver))
    with pytest.raises(pytest.skip.Exception):
        await DriverContract().test_time_frame_is_taken(site(driver))
    driver.keypads = {"a": KeypadCapability(slots=2, reserved_slots=(1,)), "b": None}
    with pytest.raises(pytest.skip.Exception):
        await DriverContract().test_codes_are_set_and_cleared(site(driver))


async def test_a_lock_without_room_cannot_be_checked() -> None:
    driver = Good()
    driver.codes["b"] = {slot: (f"{slot}111", None) for slot in range(2, 6)}
    with pytest.raises(AssertionError, match="b has no two empty slots"):
        await DriverContract().test_codes_are_set_and_cleared(site(driver))


async def test_each_keypad_of_another_kind_is_checked() -> None:
    checked: list[str] = []

    class Watched(Good):
        def codes_of(self, command: CodeOrder) -> Outcome:
            checked.append(command.native_id)
            return super().codes_of(command)

    driver = Watched()
    driver.native_ids = ["a", "b", "c"]
    driver.keypads = {"a": OPEN, "b": MASKED, "c": OPEN}
    await DriverContract().test_codes_are_set_and_cleared(site(driver))
    assert set(checked) == {"a", "b"}


@pytest.mark.parametrize(
    "changes",
    [{"slot": 0}, {"slot": 6}, {"slot": 3}, {"is_used": False, "pin_ref": "pin-1"}, {"pin_ref": "pin-1"}],
)
def test_what_cannot_be_true_of_a_lock(changes: dict[str, Any]) -> None:
    keypad = replace(MASKED, reserved_slots=(3,))
    seen = CodeSeen(native_id="a", slot=5, is_used=True)
    check_codes_seen((seen, CodeSeen(native_id="b", slot=99, is_used=True)), "a", keypad)
    with pytest.raises(AssertionError):
        check_codes_seen((replace(seen, **changes),), "a", keypad)


def test_the_last_slots_are_used_first() -> None:
    assert usable(KeypadCapability(slots=5, reserved_slots=(1, 4))) == [5, 3, 2]
