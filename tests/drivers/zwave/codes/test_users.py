from typing import Any

import pytest
from hubd_drivers.zwave.codes.users import free_user

PLAIN: dict[str, Any] = {"userId": 5, "active": True, "userType": 0, "credentialRule": 1}
CARD = {"userId": 5, "type": 3, "slot": 2}


@pytest.mark.parametrize(
    ("users", "credentials", "user"),
    [
        ([], [], 5),
        ([PLAIN], [], 5),
        ([{**PLAIN, "active": False}], [], 5),
        ([PLAIN], [CARD], 8),
        ([], [CARD], 8),
        ([{**PLAIN, "userType": 3}], [], 8),
        ([{**PLAIN, "userType": 6}, {**PLAIN, "userId": 8, "userType": 4}], [], 7),
        ([{**PLAIN, "credentialRule": 2}], [], 8),
        ([{"userId": 5}], [], 8),
        (["?"], ["?", {"userId": 0}], 5),
        ([], [{**CARD, "userId": number} for number in range(1, 9)], None),
    ],
)
def test_a_pin_is_given_to_nobody_elses_user(users: list[Any], credentials: list[Any], user: int | None) -> None:
    assert free_user(5, 8, users, credentials) == user


def test_a_user_who_was_found_to_be_somebodys() -> None:
    assert free_user(5, 8, [], [], taken=5) == 8
    assert free_user(5, 5, [], [{**CARD, "userId": number} for number in range(1, 5)], taken=5) is None
