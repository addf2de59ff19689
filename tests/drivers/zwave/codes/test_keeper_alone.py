"""What the keeper does without a network: refusals, losses, echoes."""

from dataclasses import dataclass
from typing import Any

import pytest
from hubd_drivers.zwave.bolts import Memory
from hubd_drivers.zwave.codes.keeper import Codes
from hubd_drivers.zwave.codes.keypads import Keypad
from hubd_drivers.zwave.controller import ControllerWatch
from hubd_drivers.zwave.device import ZwaveDevice
from hubd_drivers.zwave.events import CodeReported, CredentialTold, Notified, StatusChanged
from hubd_drivers.zwave.facts import STATUS_ASLEEP
from hubd_drivers.zwave.failures import CommandError, Kind, answer_lost, command_error
from zwave_js_server.exceptions import FailedZWaveCommand

from hubd.driver.contract import RecordingPort
from hubd.model import ClearCode, CodeHintSeen, CodeSeen, KeypadCapability, OutcomeKind, ReadCode, SetCode
from tests.drivers.zwave.fakes import HOME_ID, Answer, FakeLink, FastClock, lock_node

PIN = "47110815"
DROPPED = command_error(FailedZWaveCommand("", 202, "serial port is not open"))
USED = {"response": {"userIdStatus": 1, "userCode": PIN}}
KEYPAD = Keypad(KeypadCapability(30, reserved_slots=(9,)))
AT: dict[str, Any] = {"device_id": "d", "native_id": "id", "slot": 3}


@dataclass
class Site:
    codes: Codes
    link: FakeLink
    port: RecordingPort
    lock: ZwaveDevice
    controller: ControllerWatch

    def put(self, **more: Any) -> SetCode:
        return SetCode(**{**AT, "pin_ref": self.port.seal(PIN), **more})


def site(keypad: Keypad | None = KEYPAD, **answers: Answer) -> Site:
    port, link = RecordingPort(clock=FastClock(50.0)), FakeLink(**answers)
    lock = ZwaveDevice(lock_node(2, 0, classes={98: 4, 99: 1}), "id", HOME_ID, keypad, 0.7)
    controller = ControllerWatch(link, port, 1.0)

    async def describe(device: ZwaveDevice) -> None:
        if (description := device.described()) is not None:
            await port.found(description)

    codes = Codes(link=link, port=port, controller=controller, seconds=2.0, describe=describe, memory=Memory())
    return Site(codes, link, port, lock, controller)


async def test_what_has_no_keypad_sleeps_or_is_cut_off_gets_nothing() -> None:
    s = site(keypad=None)
    assert (await s.codes.execute(s.lock, ReadCode(**AT))).kind is OutcomeKind.UNSUPPORTED
    assert s.codes.heard(s.lock, Notified(2, 6, 14, user=3)) == []
    s = site(is_failed_node=DROPPED)
    s.lock.status(STATUS_ASLEEP)
    assert (await s.codes.execute(s.lock, s.put())).code == "device_asleep"
    s.lock.status(4)
    await s.controller.check()
    outcome = await s.codes.execute(s.lock, s.put())
    assert (outcome.kind, outcome.code) == (OutcomeKind.UNREACHABLE, "controller_lost")
    assert s.link.count("invoke_cc_api") == 0


async def test_a_reserved_slot_is_not_touched_and_not_told_of() -> None:
    s = site()
    for command in (s.put(slot=9), ClearCode(**{**AT, "slot": 9}), ReadCode(**{**AT, "slot": 9})):
        assert (await s.codes.execute(s.lock, command)).code == "slot_not_usable"
    assert s.link.sent == []
    assert s.codes.heard(s.lock, Notified(2, 6, 14, user=9)) == []


async def test_a_pin_that_the_hub_has_forgotten() -> None:
    s = site()
    outcome = await s.codes.execute(s.lock, s.put(pin_ref="gone"))
    assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "pin_unknown")
    assert s.link.sent == []


async def test_the_controller_is_asked_when_a_command_casts_doubt_on_it() -> None:
    s = site(invoke_cc_api=DROPPED, is_failed_node=DROPPED)
    outcome = await s.codes.execute(s.lock, ReadCode(**AT))
    assert (outcome.kind, outcome.code) == (OutcomeKind.UNREACHABLE, "controller_lost")
    s = site(invoke_cc_api=DROPPED, is_failed_node={"failed": False})
    outcome = await s.codes.execute(s.lock, s.put())
    assert (outcome.kind, outcome.code) == (OutcomeKind.UNREACHABLE, "device_unreachable")


async def test_what_the_stick_had_when_it_went_may_be_on_the_lock() -> None:
    silent = command_error(FailedZWaveCommand("", 200, "Timeout while waiting for a callback from the controller"))
    for error, stick in ((DROPPED, DROPPED), (silent, DROPPED), (silent, {"failed": False})):
        for command in (ClearCode(**AT), None):
            s = site(invoke_cc_api=error, is_failed_node=stick)
            outcome = await s.codes.execute(s.lock, command or s.put())
            assert (outcome.kind, outcome.code) == (OutcomeKind.SENT_UNCONFIRMED, "controller_lost")
            assert PIN not in repr(outcome)
    s = site(invoke_cc_api=DROPPED, is_failed_node=answer_lost())
    assert (await s.codes.execute(s.lock, s.put())).kind is OutcomeKind.SENT_UNCONFIRMED  # the server went with it


async def test_an_error_that_quotes_the_pin_is_not_passed_on_with_it() -> None:
    s = site(invoke_cc_api=CommandError(Kind.UNCERTAIN, "server_error", f"zwave-js-server reports: bad code {PIN}."))
    outcome = await s.codes.execute(s.lock, s.put())
    assert outcome.message == "zwave-js-server reports: bad code ********."
    assert PIN not in repr(outcome)


async def test_what_the_lock_says_while_it_is_told_is_heard_at_once() -> None:
    s = site(get_state={})

    def answer(methodName: str, **_: object) -> dict[str, Any]:  # noqa: N803 - as zwave-js calls it
        if methodName == "get":
            return {"response": {"userIdStatus": 0, "userCode": ""}}
        s.codes.note(StatusChanged(2, 4))
        s.codes.note(CodeReported(2, 3, "changed"))
        s.codes.note(Notified(5, 6, 14, user=3))
        s.codes.note(Notified(2, 6, 15, user=3))
        return {}

    s.link.answers["invoke_cc_api"] = answer
    outcome = await s.codes.execute(s.lock, s.put())
    assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "duplicate_code")


@pytest.mark.parametrize(
    ("answer", "hints"), [([{"response": {"status": 255}}, USED], 0), ([{}], 1)], ids=["done", "unconfirmed"]
)
async def test_only_the_echo_of_what_is_known_to_be_done_is_no_news(answer: Answer, hints: int) -> None:
    s = site(invoke_cc_api=answer)
    await s.codes.execute(s.lock, s.put())
    told = s.codes.heard(s.lock, Notified(2, 6, 14, user=3))
    assert told == [CodeHintSeen(native_id="id", change="added", slot=3)][:hints]
    assert s.codes.heard(s.lock, Notified(2, 6, 13, user=3)) != []
    s.codes.forget(s.lock)
    assert s.codes.heard(s.lock, Notified(2, 6, 14, user=3)) != []


async def test_a_notification_of_a_credential_lock_names_a_user_and_not_a_slot() -> None:
    s = site(keypad=Keypad(KeypadCapability(30), has_credentials=True))
    assert s.codes.heard(s.lock, Notified(2, 6, 14, user=3)) == [CodeHintSeen(native_id="id", change="added")]
    told = s.codes.heard(s.lock, CredentialTold(2, "added", 5, 1))
    assert told == [CodeHintSeen(native_id="id", change="added", slot=5)]


async def test_stars_change_the_description_once() -> None:
    s = site(invoke_cc_api={"response": {"userIdStatus": 1, "userCode": "****"}})
    for _ in range(2):
        outcome = await s.codes.execute(s.lock, ReadCode(**AT))
        assert outcome.seen == (CodeSeen(native_id="id", slot=3, is_used=True),)
    (described,) = s.port.announced
    assert described.capabilities.keypad == KeypadCapability(30, reserved_slots=(9,), tells_pins=False)
