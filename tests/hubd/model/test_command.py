from typing import Any, get_args

import msgspec
import pytest

from hubd.model import ClimateCommand, ClimateSetting, CodeCommand, Command, Order, UnlockDoor
from hubd.model.command import ActionType, CommandBase, action_type

ORDERS: tuple[type[CommandBase], ...] = get_args(Order.__value__)
COMMANDS: tuple[type[CommandBase], ...] = (
    *ORDERS,
    *get_args(CodeCommand.__value__),
    *get_args(ClimateCommand.__value__),
)
EXTRA: dict[str, Any] = {"pin_ref": "pin_1", "connected": True, "slot": 3, "temperature_celsius": 21.5}
EXTRA |= {"user": "u", "credential_id": "c", "is_new_key": True}
EXTRA["setting"] = ClimateSetting("heat", None, 21.0)


def example(kind: type[CommandBase]) -> Any:
    extra = {name: EXTRA[name] for name in kind.__struct_fields__ if name in EXTRA}
    return kind(device_id="d", native_id="n", **extra)


def test_every_order_is_one_action_type() -> None:
    types = [action_type(example(kind)) for kind in ORDERS]
    assert sorted(types) == sorted(get_args(ActionType.__value__))


@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.__name__)
def test_a_command_is_read_back_as_what_it_was(kind: type[CommandBase]) -> None:
    command = example(kind)
    assert msgspec.json.decode(msgspec.json.encode(command), type=Command) == command


def test_the_tag_in_the_journal_is_the_action_type() -> None:
    written = msgspec.json.decode(msgspec.json.encode(UnlockDoor(device_id="d", native_id="n")))
    assert written == {"type": "UNLOCK_DOOR", "device_id": "d", "native_id": "n"}
