"""Events of network care are read, whatever their shape."""

from typing import Any

import pytest
from hubd_drivers.zwave.care.events import (
    CareEvent,
    ExclusionFailed,
    ExclusionStopped,
    HealthProgress,
    InclusionFailed,
    InclusionState,
    InterviewProgress,
    KeysAborted,
    KeysAsked,
    NodeFound,
    NvmProgress,
    PinAsked,
    RoutesProgress,
)
from hubd_drivers.zwave.events import NodeAdded, read_event
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
KINDS = (
    "inclusion state changed",
    "node found",
    "grant security classes",
    "validate dsk and enter pin",
    "nvm backup progress",
    "rebuild routes progress",
    "rebuild routes done",
    "interview progress",
    "check lifeline health progress",
    "node added",
)
FIELDS = ("state", "node", "requested", "dsk", "bytesRead", "total", "progress", "result", "nodeId", "round", "stage")


def controller(kind: str, **more: Any) -> dict[str, Any]:
    return {"source": "controller", "event": kind, **more}


def node(kind: str, **more: Any) -> dict[str, Any]:
    return {"source": "node", "event": kind, "nodeId": 7, **more}


LOCK_CLASS = {"generic": {"key": 64, "label": "Entry Control"}, "specific": {"key": 3, "label": "Keypad Lock"}}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (controller("inclusion state changed", state=4), InclusionState(4)),
        (controller("inclusion failed"), InclusionFailed()),
        (controller("exclusion failed"), ExclusionFailed()),
        (controller("exclusion stopped"), ExclusionStopped()),
        (controller("inclusion aborted"), KeysAborted()),
        (
            controller("node found", node={"nodeId": 7, "deviceClass": LOCK_CLASS}),
            NodeFound(7, "Keypad Lock", is_lock=True),
        ),
        (controller("node found", node={"nodeId": 7, "deviceClass": None}), NodeFound(7, None, is_lock=False)),
        (controller("node found", node={"nodeId": 7, "supportedCCs": [98]}), NodeFound(7, None, is_lock=True)),
        (controller("grant security classes", requested={"securityClasses": [1, 2, "x"]}), KeysAsked((1, 2))),
        (controller("validate dsk and enter pin", dsk="-12345-23456"), PinAsked("12345-23456")),
        (controller("nvm backup progress", bytesRead=50, total=200), NvmProgress(0.25)),
        (controller("nvm restore progress", bytesWritten=300, total=200), NvmProgress(1.0)),
        (
            controller("rebuild routes progress", progress={"3": "done", "2": "pending", "5": "done"}),
            RoutesProgress({"done": (3, 5), "pending": (2,)}, is_over=False),
        ),
        (controller("rebuild routes done", result={"2": "failed"}), RoutesProgress({"failed": (2,)}, is_over=True)),
        (node("interview progress", stage="NodeInfo", progress=12.5), InterviewProgress(7, "NodeInfo", 0.125)),
        (node("check lifeline health progress", round=1, totalRounds=3, lastRating=9), HealthProgress(7, 1, 3, 9)),
    ],
)
def test_what_actions_wait_for_is_read(raw: dict[str, Any], expected: CareEvent) -> None:
    assert read_event(raw) == expected


def test_a_new_node_tells_why_it_has_no_keys() -> None:
    weak = read_event(
        controller("node added", node={"nodeId": 7}, result={"lowSecurity": True, "lowSecurityReason": 6})
    )
    assert isinstance(weak, NodeAdded)
    assert weak.weakness == 6
    unsaid = read_event(controller("node added", node={"nodeId": 7}, result={"lowSecurity": True}))
    assert isinstance(unsaid, NodeAdded)
    assert unsaid.weakness == -1
    fine = read_event(controller("node added", node={"nodeId": 7}, result={"lowSecurity": False}))
    assert isinstance(fine, NodeAdded)
    assert fine.weakness is None


@given(st.sampled_from(("controller", "node")), st.sampled_from(KINDS), st.dictionaries(st.sampled_from(FIELDS), JUNK))
def test_events_of_any_shape_are_read_or_passed_over(source: str, kind: str, fields: dict[str, Any]) -> None:
    read = read_event({**fields, "source": source, "event": kind})
    assert read is None or isinstance(read, Struct)
