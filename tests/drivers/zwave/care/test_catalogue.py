"""Actions can be asked for, and asked for rightly only."""

from typing import Any

import msgspec
import pytest
from hubd_drivers.zwave.care.catalogue import ACTIONS, INTERVIEW_SECONDS, KEY_SECONDS

BY_NAME = {action.name: action for action in ACTIONS}


def test_each_action_explains_itself() -> None:
    assert len(BY_NAME) == len(ACTIONS)
    for action in ACTIONS:
        assert action.name.isidentifier()
        assert action.name == action.name.lower()
        assert action.title
        assert action.description.endswith(".")
        assert not action.warning or action.warning.endswith(".")
        for field in msgspec.structs.fields(action.arguments):
            told = msgspec.inspect.type_info(field.type)
            assert isinstance(told, msgspec.inspect.Metadata), field.name
            assert set(told.extra_json_schema or {}) == {"title", "description"}


def test_what_only_reads_is_for_everybody_and_waits_for_nobody() -> None:
    readers = {action.name for action in ACTIONS if action.role == "viewer"}
    assert readers == {"statistics", "network", "smart_start_list"}
    assert {action.name for action in ACTIONS if not action.exclusive} == readers | {"ping"}
    assert BY_NAME["restore_stick"].role == "owner"


def test_an_inclusion_is_given_the_time_of_all_its_parts() -> None:
    for name in ("include", "replace_failed"):
        assert BY_NAME[name].seconds > 240 + KEY_SECONDS + INTERVIEW_SECONDS


def test_what_destroys_or_interrupts_is_confirmed() -> None:
    harmless = {action.name for action in ACTIONS if not action.warning}
    assert harmless == {
        "include",
        "smart_start_add",
        "smart_start_list",
        "smart_start_remove",
        "ping",
        "statistics",
        "network",
    }


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("include", {"seconds": 9}),
        ("include", {"seconds": 241}),
        ("include", {"security": "s1"}),
        ("include", {"secure": True}),
        ("include", {"name": "x" * 61}),
        ("exclude", {"seconds": "60"}),
        ("smart_start_add", {}),
        ("smart_start_add", {"code": "90"}),
        ("smart_start_remove", {"dsk": "12345"}),
        ("remove_failed_node", {"node": 1}),
        ("check_health", {"rounds": 11}),
        ("restore_stick", {}),
        ("ping", {"node": 2}),
    ],
)
def test_arguments_out_of_bounds_are_refused(name: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(arguments, BY_NAME[name].arguments)
