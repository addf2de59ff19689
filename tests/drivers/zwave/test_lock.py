import pytest
from hubd_drivers.zwave import lock
from hubd_drivers.zwave.facts import ValueId

from hubd.model import LockCapability
from tests.drivers.zwave.fakes import lock_node, node, value


@pytest.mark.parametrize(
    ("mode", "locked"),
    [
        (255, True),
        (0, False),
        (1, False),
        (0x10, False),
        (0x21, False),
        (254, None),
        (7, None),
        ("255", None),
        (None, None),
    ],
)
def test_position_of_a_door_lock(mode: object, locked: lock.Position) -> None:
    bolt = lock.find_bolt(lock_node())
    assert bolt is not None
    assert bolt.position(mode) is locked


def test_the_older_lock_class() -> None:
    bolt = lock.find_bolt(node(2, value(118, "locked", content=True, writeable=True)))
    assert bolt is not None
    assert bolt.current == bolt.target == ValueId(118, 0, "locked")
    assert (bolt.lock_value, bolt.unlock_value) == (True, False)
    assert [bolt.position(raw) for raw in (True, False, 1, None)] == [True, False, None, None]


def test_a_bolt_on_another_endpoint() -> None:
    raw = value(98, "currentMode", 0) | {"endpoint": 2}
    bolt = lock.find_bolt(node(2, raw, value(98, "doorStatus", "open")))
    assert bolt is not None
    assert bolt.current.endpoint == bolt.target.endpoint == 2


def test_what_has_no_bolt() -> None:
    assert lock.find_bolt(node(2, value(64, "mode", 1))) is None


@pytest.mark.parametrize(
    ("metadata", "can_lock", "can_unlock", "unlock_value"),
    [
        ({}, True, True, 0),
        ({"states": {"0": "Unsecured", "255": "Secured"}}, True, True, 0),
        ({"states": {"1": "UnsecuredWithTimeout"}}, False, True, 1),
        ({"states": {"255": "Secured"}}, True, False, 1),
        ({"states": "what?"}, True, True, 0),
        ({"writeable": False}, False, False, 0),
    ],
)
def test_capability_is_what_the_lock_offers(
    metadata: dict[str, object], *, can_lock: bool, can_unlock: bool, unlock_value: int
) -> None:
    bolt = lock.find_bolt(node(2, value(98, "currentMode", 0), value(98, "targetMode", 0, **metadata)))
    assert bolt is not None
    assert bolt.capability == LockCapability(can_lock=can_lock, can_unlock=can_unlock)
    assert bolt.unlock_value == unlock_value


def door(name: str, state: object, key: str | None = None) -> dict[str, object]:
    return value(98, name, state) if key is None else value(113, name, state, key=key)


@pytest.mark.parametrize(
    ("version", "raw", "expected"),
    [
        (4, door("doorStatus", "open"), True),
        (4, door("doorStatus", "closed"), False),
        (4, door("doorStatus", ["?"]), None),
        (2, door("doorStatus", "open"), None),  # before version 4 the bit may stand for nothing
        (2, door("Access Control", 22, "Door state"), True),
        (2, door("Access Control", 0x1601, "Door state"), True),
        (2, door("Access Control", 23, "Door state (simple)"), False),
        (2, door("Access Control", 0, "Door state"), None),
    ],
)
def test_door(version: int, raw: dict[str, object], *, expected: bool | None) -> None:
    facts = lock_node(2, 0, raw, classes={98: version})
    assert lock.door_open(facts) is expected
    bolt = lock.find_bolt(facts)
    assert bolt is not None
    assert bolt.capability.reports_door is (expected is not None)


def test_a_jam_is_a_state() -> None:
    assert lock.is_jammed(lock_node(2, 0, value(113, "Access Control", 11, key="Lock state")))
    assert not lock.is_jammed(lock_node(2, 0, value(113, "Access Control", 0, key="Lock state")))
