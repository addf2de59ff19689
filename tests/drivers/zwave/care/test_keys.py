"""Keys are granted sparingly, and a device without them is told plainly."""

import pytest
from hubd_drivers.zwave.care.catalogue import Security
from hubd_drivers.zwave.care.keys import granted, name_of, weakness


@pytest.mark.parametrize(
    ("asked", "security", "expected"),
    [
        ((0, 1, 2, 7), "auto", (2,)),
        ((0, 1), "s2", (1,)),
        ((7, 0), "auto", (0,)),
        ((7,), "auto", (7,)),
        ((7,), "s2", ()),
        ((), "auto", ()),
        ((3, 4), "auto", ()),
    ],
)
def test_the_best_s2_class_is_granted_alone(
    asked: tuple[int, ...], security: Security, expected: tuple[int, ...]
) -> None:
    assert granted(asked, security) == expected


@pytest.mark.parametrize(
    ("reason", "ended", "wish", "is_lock", "code"),
    [
        (None, 2, "auto", True, None),
        (None, 0, "s2", True, None),
        (None, 7, "auto", True, None),
        (None, 7, "s0", True, None),
        (None, -1, "auto", False, None),
        (None, -1, "insecure", False, None),
        (None, -1, "insecure", True, "insecure_lock"),
        (None, None, "auto", True, "insecure_lock"),
        (None, -1, "s2", False, "no_s2"),
        (None, 7, "s2", True, "no_s2"),
        (None, -1, "s0", False, "no_s0"),
        (0, -1, "auto", True, "keys_not_confirmed"),
        (1, -1, "auto", True, "no_security_keys"),
        (3, -1, "auto", False, "keys_timeout"),
        (6, -1, "s2", True, "wrong_pin"),
        (8, 7, "auto", True, "s0_downgrade"),
        (200, -1, "auto", True, "keys_failed"),
        (-1, None, "auto", True, "keys_failed"),
    ],
)
def test_what_is_wrong_is_told_with_its_remedy(
    reason: int | None, ended: int | None, wish: Security, is_lock: object, code: str | None
) -> None:
    weak = weakness(reason, ended, wish, is_lock=bool(is_lock))
    assert (None if weak is None else weak.code) == code
    if weak is not None:
        assert weak.message.endswith(".")
        assert "include" in weak.remedy


def test_classes_have_names() -> None:
    assert [name_of(one) for one in (2, 7, -1, None, 5)] == [
        "S2 Access Control",
        "S0",
        "no encryption",
        "encryption not known",
        "security class 5",
    ]
