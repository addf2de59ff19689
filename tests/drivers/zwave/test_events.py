from typing import Any

import pytest
from hubd_drivers.zwave import events as e
from hubd_drivers.zwave.facts import NodeFacts, Statistics, ValueId
from hypothesis import given

from tests.drivers.zwave.fakes import dump
from tests.drivers.zwave.strategies import JSON, events


def of_node(kind: str, **more: object) -> dict[str, Any]:
    return {"source": "node", "event": kind, "nodeId": 2, **more}


CODE = {"commandClass": 99, "endpoint": 0, "property": "userCode", "propertyKey": 3}
STATUS = {**CODE, "property": "userIdStatus"}
CREDENTIAL = {"userId": 4, "credentialType": 1, "credentialSlot": 7}
MODE = {"commandClass": 98, "endpoint": 0, "property": "currentMode"}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (
            of_node("value updated", args={**MODE, "newValue": 255, "prevValue": 0}),
            e.ValueReported(2, ValueId(98, 0, "currentMode"), 255),
        ),
        (
            of_node("value added", args={**MODE, "newValue": 0}),
            e.ValueReported(2, ValueId(98, 0, "currentMode"), 0, is_new=True),
        ),
        (
            of_node("value removed", args={**MODE, "prevValue": 0}),
            e.ValueReported(2, ValueId(98, 0, "currentMode"), None),
        ),
        (
            of_node("metadata updated", args={**MODE, "metadata": {"min": 1}}),
            e.MetadataReported(2, ValueId(98, 0, "currentMode"), {"min": 1}),
        ),
        (
            of_node("notification", ccId=113, args={"type": 6, "event": 6, "parameters": {"userId": 3}}),
            e.Notified(2, 6, 6, 3),
        ),
        (
            of_node("notification", ccId=113, args={"type": 6, "event": 6, "parameters": {"userId": 0}}),
            e.Notified(2, 6, 6),
        ),
        (of_node("notification", ccId=113, args={"type": 6, "event": 6, "parameters": "?"}), e.Notified(2, 6, 6)),
        (of_node("notification", ccId=128, args={"eventType": "battery low", "urgency": 1}), e.BatteryWarned(2)),
        (of_node("dead", oldStatus=4), e.StatusChanged(2, 3)),
        (of_node("interview started"), e.InterviewChanged(2, None)),
        (of_node("interview failed"), e.InterviewChanged(2, "Failed")),
        (of_node("interview stage completed", stageName="NodeInfo"), e.InterviewChanged(2, "NodeInfo")),
        ({"source": "controller", "event": "node removed", "node": {"nodeId": 2}, "reason": 0}, e.NodeRemoved(2, 0)),
        ({"source": "controller", "event": "node removed", "node": {"nodeId": 2}}, e.NodeRemoved(2, -1)),
        (
            {"source": "controller", "event": "node added", "node": {"nodeId": 7}},
            e.NodeAdded(7, NodeFacts(node_id=7)),
        ),
        ({"source": "controller", "event": "status changed", "status": 1}, e.ControllerChanged(1)),
        ({"source": "driver", "event": "driver ready"}, e.DriverRestarted()),
        ({"source": "driver", "event": "all nodes ready"}, e.AllNodesReady()),
        ({"source": "driver", "event": "error", "error": "no stick"}, e.DriverFailed("no stick")),
        (
            {
                "source": "driver",
                "event": "logging",
                "message": "Serial port closed unexpectedly, attempting to reopen...",
            },
            e.SerialPortTold(is_open=False),
        ),
        ({"source": "driver", "event": "logging", "message": "Serial port reopened"}, e.SerialPortTold(is_open=True)),
        ({"source": "driver", "event": "logging", "message": "Serial port speed is 115200"}, None),
        ({"source": "driver", "event": "logging", "message": ["Serial port closed"]}, None),
        ({"source": "driver", "event": "logging"}, None),
        (of_node("node info received"), None),
        (of_node("statistics updated", statistics={"commandsTX": 1}), e.StatisticsReported(2, Statistics(sent=1))),
        (of_node("value updated", args={"commandClass": 99, "property": "userCode", "newValue": "4711"}), None),
        (of_node("value updated", args={**CODE, "prevValue": "", "newValue": "4711"}), None),
        (of_node("value updated", args={**CODE, "prevValue": "4711", "newValue": "4711"}), None),
        (
            of_node("value updated", args={**CODE, "prevValue": "4711", "newValue": "0815"}),
            e.CodeReported(2, 3, "changed"),
        ),
        (of_node("value updated", args={**STATUS, "prevValue": 0, "newValue": 1}), e.CodeReported(2, 3, "added")),
        (of_node("value updated", args={**STATUS, "prevValue": 1, "newValue": 0}), e.CodeReported(2, 3, "removed")),
        (of_node("value updated", args={**STATUS, "prevValue": 1, "newValue": 2}), e.CodeReported(2, 3, "changed")),
        (of_node("value updated", args={**STATUS, "prevValue": 1, "newValue": 1}), None),
        (of_node("value added", args={**STATUS, "newValue": 1}), None),  # an interview
        (of_node("credential added", args={**CREDENTIAL, "data": "4711"}), e.CredentialTold(2, "added", 7, 1)),
        (of_node("credential modified", args={**CREDENTIAL, "data": "4711"}), e.CredentialTold(2, "changed", 7, 1)),
        (of_node("credential deleted", args=CREDENTIAL), e.CredentialTold(2, "removed", 7, 1)),
        (of_node("user deleted", args={"userId": 4}), e.CredentialTold(2, "removed")),
        (of_node("user modified", args={"userId": 4, "active": False}), e.CredentialTold(2, "changed")),
        (of_node("user added", args={"userId": 4}), None),
        (of_node("an event of next year"), None),
        ({"source": "zniffer", "event": "alive"}, None),
    ],
)
def test_events(raw: dict[str, Any], expected: e.Event | None) -> None:
    assert e.read_event(raw) == expected


def test_a_ready_node_comes_with_its_facts() -> None:
    event = e.read_event(of_node("ready", nodeState=dump(2)))
    assert isinstance(event, e.NodeReady)
    assert event.facts.node_id == 2
    assert e.read_event(of_node("ready", nodeState=dump(3))) is None


@given(events() | JSON)
def test_no_event_is_too_odd(raw: object) -> None:
    event = e.read_event(raw)
    assert event is None or type(event).__module__ == e.__name__
