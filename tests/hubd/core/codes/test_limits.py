import pytest

from hubd.core.codes.limits import check, limited
from hubd.model.capability import KeypadCapability
from hubd.model.errors import InvalidInputError
from hubd.store.codes import Constraints

KEYPAD = KeypadCapability(slots=3, min_length=4, max_length=8)


@pytest.mark.parametrize(
    ("report", "left"),
    [
        (None, (4, 5, 6, 7, 8)),
        (Constraints(min_length=6), (6, 7, 8)),
        (Constraints(max_length=5), (4, 5)),
        (Constraints(min_length=5, max_length=20), (5, 6, 7, 8)),
        (Constraints(lengths=(4, 6, 12)), (4, 6)),
        (Constraints(lengths=(12,)), (4, 5, 6, 7, 8)),
    ],
)
def test_a_report_leaves_some_of_the_locks_own_lengths(report: Constraints | None, left: tuple[int, ...]) -> None:
    assert limited(KEYPAD, report).code_lengths == left


@pytest.mark.parametrize(
    "report",
    [
        Constraints(),
        Constraints(lengths=(9,)),
        Constraints(min_length=9),
        Constraints(lengths=(4,), max_length=8),
        Constraints(lengths=(4,), min_length=4),
    ],
)
def test_a_report_that_cannot_be_true_is_refused(report: Constraints) -> None:
    with pytest.raises(InvalidInputError):
        check(KEYPAD, report)


def test_a_report_that_can() -> None:
    check(KEYPAD, Constraints(min_length=4, max_length=6))
    check(KEYPAD, Constraints(lengths=(8,)))
