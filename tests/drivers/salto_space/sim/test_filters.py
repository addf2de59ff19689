from collections.abc import Mapping

import pytest
from hubd_drivers.salto_space.sim.filters import compiled
from hubd_drivers.salto_space.sim.replies import RefusalError

ROW: Mapping[str, int | str] = {
    "EventID": 7,
    "Operation": 17,
    "SubjectType": 0,
    "DoorID": "Main entrance",
    "SubjectID": "u1",
    "EventDateTime": "2026-07-01T12:00:00",
}


@pytest.mark.parametrize(
    ("expression", "passes"),
    [
        ("", True),
        ("Operation = 17", True),
        ("Operation <> 17", False),
        ("Operation != 17 OR SubjectType=0", True),
        ("Operation=1 AND SubjectType=0 OR DoorID='Main entrance'", True),
        ("Operation=1 AND (SubjectType=0 OR DoorID='Main entrance')", False),
        ('DoorID = "Main entrance" and SubjectID = u1', True),
        ("EventDateTime >= '2026-07-01T12:00:00'", True),
        ("EventDateTime > '2026-07-01T12:00:00'", False),
        ("EventID <= 7 AND EventID < 8", True),
        ("Operation = '17'", True),
    ],
)
def test_comparisons_with_and_or_and_brackets(expression: str, passes: bool) -> None:  # noqa: FBT001 - a table
    assert compiled(expression)(ROW) is passes


@pytest.mark.parametrize(
    "expression",
    [
        "Operation",
        "Operation = ",
        "Operation LIKE '1%'",
        "UserName = 'x'",
        "Operation = seventeen",
        "(Operation = 17",
        "Operation = 17)",
        "Operation = 17; DROP TABLE",
        "DoorID = 'open",
        "(" * 100 + "Operation = 17" + ")" * 100,
        "Operation = 17 OR " * 1000 + "Operation = 1",
    ],
)
def test_anything_else_is_a_rule_violated(expression: str) -> None:
    with pytest.raises(RefusalError) as caught:
        compiled(expression)
    assert caught.value.code == 7
