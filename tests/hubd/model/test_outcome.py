import msgspec
import pytest

from hubd.driver.contract import check_outcome
from hubd.model import (
    LockSeen,
    Outcome,
    OutcomeKind,
    done,
    expired,
    rejected,
    sent_unconfirmed,
    unreachable,
    unsupported,
)

BUILT = [
    (done(), OutcomeKind.DONE, "done"),
    (sent_unconfirmed("No answer came."), OutcomeKind.SENT_UNCONFIRMED, "sent_unconfirmed"),
    (sent_unconfirmed("No answer came.", "driver_defect"), OutcomeKind.SENT_UNCONFIRMED, "driver_defect"),
    (rejected("lock_jammed", "The bolt is jammed."), OutcomeKind.REJECTED, "lock_jammed"),
    (unsupported("It is no lock."), OutcomeKind.UNSUPPORTED, "not_supported"),
    (unreachable("hub_disconnected", "The stick is out."), OutcomeKind.UNREACHABLE, "hub_disconnected"),
    (expired("It waited too long."), OutcomeKind.EXPIRED, "deadline_exceeded"),
]


@pytest.mark.parametrize(("outcome", "kind", "code"), BUILT)
def test_builders(outcome: Outcome, kind: OutcomeKind, code: str) -> None:
    assert (outcome.kind, outcome.code) == (kind, code)
    assert (outcome.detail, outcome.seen) == ({}, ())
    check_outcome(outcome)


def test_what_was_read_and_the_drivers_detail_go_along() -> None:
    seen = (LockSeen(native_id="a", locked=None, jammed=True),)
    outcome = rejected("lock_jammed", "The bolt is jammed.", {"status": 7}, seen)
    assert (outcome.detail, outcome.seen) == ({"status": 7}, seen)
    assert done(seen=seen, detail={"tries": 2}).seen == seen
    assert msgspec.json.decode(msgspec.json.encode(outcome), type=Outcome) == outcome
