import json
from typing import Any

import pytest
from hubd_drivers.zwave.recording import redaction
from hypothesis import given
from hypothesis import strategies as st

from tests.drivers.zwave.fake_server import dumped
from tests.drivers.zwave.fakes import dump, value
from tests.drivers.zwave.strategies import JSON

PIN = "83915274"
DSK = "51525-35455-41424-05136-58475-32132-00000-12345"
LISTEN = {"command": "start_listening"}


def forms(pin: str) -> list[str]:
    """The ways in which JSON may hold a PIN, besides as text."""
    codes = [ord(digit) for digit in pin]
    return [pin, bytes(codes).hex(), ",".join(map(str, codes)), ", ".join(map(str, codes)), pin[::-1]]


def is_clean(kept: object, pin: str = PIN) -> bool:
    text = json.dumps(kept)
    return not any(form in text for form in forms(pin))


def answer(result: object, **asked: object) -> dict[str, Any]:
    return redaction.answer({"type": "result", "success": True, "messageId": "1", "result": result}, asked)


def value_event(command_class: int, name: str, content: object, kind: str = "value updated") -> dict[str, Any]:
    args = {"commandClass": command_class, "endpoint": 0, "property": name, "propertyKey": 3}
    return {
        "source": "node",
        "event": kind,
        "nodeId": 2,
        "args": {**args, "newValue": content, "prevValue": content},
    }


BUFFER = {"type": "Buffer", "data": list(PIN.encode())}


@pytest.mark.parametrize("content", [PIN, int(PIN), BUFFER, [PIN], {"code": PIN}, {PIN: 1}], ids=repr)
@pytest.mark.parametrize("command_class", [99, 131, 111, 112, 152, 159, 0, 9999, "99", None], ids=repr)
def test_values_that_may_be_codes_lose_their_content_everywhere(command_class: Any, content: object) -> None:
    held = value(command_class, "userCode", content, key=3, default=content, min=0)
    place = {"commandClass": command_class, "endpoint": 0, "property": "userCode", "propertyKey": 3}
    assert is_clean(answer({"state": dumped(dump(2, held))}, **LISTEN))
    assert is_clean(redaction.event(value_event(command_class, "userCode", content)))
    assert is_clean(redaction.event({"source": "node", "event": "ready", "nodeId": 2, "nodeState": dump(2, held)}))
    for verb in ("set_value", "poll_value", "get_value"):
        asked = {"command": f"node.{verb}", "nodeId": 2, "valueId": place, "value": content}
        assert is_clean(redaction.command(asked))
        assert is_clean(answer({"value": content}, **asked))


def test_a_value_keeps_its_shape() -> None:
    kept = redaction.event(value_event(99, "userCode", PIN))
    assert kept["args"] == {
        "commandClass": 99,
        "endpoint": 0,
        "property": "userCode",
        "propertyKey": 3,
        "newValue": "********",
        "prevValue": "********",
    }


def test_states_and_measurements_stay() -> None:
    told = value_event(98, "currentMode", 255)
    assert redaction.event(told) == told
    used = redaction.event(value_event(99, "userIdStatus", 1))
    assert used["args"]["newValue"] == 1
    whole = dump(2, value(98, "currentMode", 255), value(128, "level", 87, unit="%"), name="Room 4711", location="Hall")
    state = dumped(whole)
    assert answer({"state": state}, **LISTEN)["result"]["state"]["nodes"] == state["nodes"]


def test_a_text_of_digits_is_a_pin_whatever_the_value_is_called() -> None:
    assert is_clean(redaction.event(value_event(98, "currentMode", PIN)))
    assert redaction.event(value_event(114, "deviceId", "00451"))["args"]["newValue"] == "00451", "a serial number"


def test_a_dsk_keeps_what_names_the_device_and_loses_its_pin() -> None:
    (node,) = answer({"state": dumped(dump(2, dsk=DSK))}, **LISTEN)["result"]["state"]["nodes"]
    assert node["dsk"] == f"00000{DSK[5:]}"
    (odd,) = answer({"state": dumped(dump(2, dsk="51525-x"))}, **LISTEN)["result"]["state"]["nodes"]
    assert odd["dsk"] == "*******"


COMMANDS: list[dict[str, Any]] = [
    {"command": "endpoint.access_control.set_credential", "nodeId": 3, "endpoint": 0, "userId": 1, "data": PIN},
    {"command": "endpoint.access_control.set_user", "nodeId": 3, "options": {"userName": "Ann Smith", "pin": PIN}},
    {"command": "controller.grant_security_classes", "inclusionGrant": {"x": PIN}},
    {"command": "controller.validate_dsk_and_enter_pin", "pin": PIN},
    {"command": "controller.provision_smart_start_node", "entry": DSK},
    {"command": "controller.restore_nvm", "nvmData": PIN},
    {"command": "endpoint.invoke_cc_api", "commandClass": 99, "methodName": "set", "args": [3, 1, PIN]},
    {"command": "driver.update_options", "options": {"securityKeys": {"S0_Legacy": PIN}}},
    {"command": "of.the_future", PIN: PIN},
    {"command": PIN, "x": [int(PIN)]},
    {"command": 5, "x": BUFFER},
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: str(command["command"])[:30])
def test_commands_and_their_answers_lose_all_that_is_not_known_to_be_harmless(command: dict[str, Any]) -> None:
    kept = redaction.command(command)
    assert is_clean(kept)
    assert "Smith" not in json.dumps(kept)
    assert DSK not in json.dumps(kept)
    for result in (PIN, int(PIN), BUFFER, {"userName": "Ann Smith", "credential": {"data": PIN}}):
        told = json.dumps(answer(result, **kept))
        assert is_clean(told)
        assert "Smith" not in told


@pytest.mark.parametrize(
    "event",
    [
        {"source": "node", "event": "credential added", "nodeId": 3, "args": {"userId": 1, "data": PIN}},
        {"source": "node", "event": "user added", "nodeId": 3, "args": {"userName": PIN}},
        {"source": "node", "event": "notification", "ccId": 111, "nodeId": 3, "args": {"eventData": PIN}},
        {
            "source": "node",
            "event": "notification",
            "ccId": 113,
            "nodeId": 3,
            "args": {"parameters": {"userCode": PIN}},
        },
        {"source": "node", "event": "notification", "ccId": 113, "nodeId": 3, "args": {"parameters": {"userId": PIN}}},
        {"source": "node", "event": "notification", "ccId": 113, "nodeId": 3, "args": {"parameters": BUFFER}},
        {"source": "node", "event": "value notification", "nodeId": 3, "args": {"commandClass": 99, "value": PIN}},
        {"source": "node", "event": "interview failed", "nodeId": 3, "args": {"errorMessage": f"bad code {PIN}"}},
        {"source": "controller", "event": "validate dsk and enter pin", "dsk": PIN},
        {"source": "controller", "event": "node added", "node": {"nodeId": 9, "dsk": DSK}, "result": {"x": PIN}},
        {"source": "driver", "event": "error", "error": f"cannot set {PIN}"},
        {"source": "driver", "event": "logging", "message": [PIN], "formattedMessage": PIN},
        {"source": "driver", "event": "of the future", "data": BUFFER},
    ],
)
def test_events_lose_all_that_is_not_known_to_be_harmless(event: dict[str, Any]) -> None:
    kept = redaction.event(event)
    assert (kept["source"], kept["event"]) == (event["source"], event["event"])
    assert is_clean(kept)
    assert DSK not in json.dumps(kept)


def test_a_notification_keeps_who_used_the_lock() -> None:
    used = {"type": 6, "event": 6, "label": "Access Control", "parameters": {"userId": 3}}
    told = {"source": "node", "event": "notification", "nodeId": 2, "ccId": 113, "args": used}
    assert redaction.event(told) == told


def test_a_change_of_a_credential_keeps_its_place() -> None:
    changed = {"userId": 4, "credentialType": 1, "credentialSlot": 7}
    told = {"source": "node", "event": "credential added", "nodeId": 3, "endpointIndex": 0, "args": changed}
    assert redaction.event(told) == told
    assert redaction.event({**told, "args": {**changed, "data": PIN}})["args"] == {**changed, "data": "********"}
    assert is_clean(redaction.event({**told, "args": {**changed, "data": BUFFER}}))


def test_what_the_driver_asks_and_writes_of_codes_loses_the_pins() -> None:
    at = {"nodeId": 3, "endpoint": 0}
    api = {"command": "endpoint.invoke_cc_api", **at, "commandClass": 99, "methodName": "get", "args": [3]}
    credential = {"userId": 3, "type": 1, "slot": 3, "data": PIN}
    for asked, result in (
        (api, {"response": {"userIdStatus": 1, "userCode": PIN}}),
        (api, {"response": {"userIdStatus": 1, "userCode": BUFFER}}),
        ({**api, "methodName": "set", "args": [3, 1, PIN]}, {"response": {"status": 255}}),
        ({"command": "endpoint.access_control.get_credential", **at}, {"credential": credential}),
        ({"command": "endpoint.access_control.get_credential_cached", **at}, {"credential": credential}),
        ({"command": "endpoint.access_control.get_all_credentials_cached", **at}, {"credentials": [credential]}),
        ({"command": "node.get_state", "nodeId": 3}, {"state": dump(3, value(99, "userCode", PIN, key=3))}),
    ):
        kept = redaction.command(asked)
        assert is_clean(kept)
        assert is_clean(answer(result, **kept))


def test_an_error_keeps_its_number_and_loses_what_it_quotes() -> None:
    failure = {"type": "result", "success": False, "errorCode": "zwave_error", "zwaveErrorCode": 322}
    told = {**failure, "zwaveErrorMessage": f"The code {PIN} is a duplicate", "args": {"value": PIN}}
    kept = redaction.answer(told, {"command": "node.set_value"})
    assert kept == {**failure, "zwaveErrorMessage": "The code ******** is a duplicate", "args": {"value": "********"}}


def test_the_server_says_nothing_of_its_machine() -> None:
    state = {**dumped(), "driver": {"logConfig": {"filename": "/srv/site-17/zwavejs.log", "enabled": True}}}
    kept = answer({"state": state}, **LISTEN)["result"]["state"]["driver"]["logConfig"]
    assert kept == {"filename": "*" * 24, "enabled": True}


@given(JSON, st.sampled_from(["node.set_value", "start_listening", "node.get_state", "x", None]))
def test_nothing_that_anybody_sends_is_too_odd(data: Any, name: Any) -> None:
    odd = data if isinstance(data, dict) else {"event": data, "args": data, "node": data, "result": data}
    redaction.event({**odd, "event": "value updated"})
    redaction.event({**odd, "event": "ready", "nodeState": data})
    redaction.command({**odd, "command": name, "valueId": data})
    redaction.answer({**odd, "success": True, "result": data}, {"command": name, "valueId": data})
    redaction.answer({**odd, "success": True, "result": {"state": data}}, {"command": name})


@given(JSON)
def test_a_mask_says_nothing(data: Any) -> None:
    def check(masked: Any) -> None:
        if isinstance(masked, dict):
            list(map(check, masked.values()))
        elif isinstance(masked, list):
            list(map(check, masked))
        else:
            assert masked in (0, None, True, False) or set(masked) <= {"*"}

    check(redaction.mask(data))
