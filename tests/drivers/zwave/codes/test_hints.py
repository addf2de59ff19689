from typing import Any

import pytest
from hubd_drivers.zwave.codes.hints import CLEAR, PUT, READ, Hint, Own, hint_of, is_duplicate
from hubd_drivers.zwave.events import CodeReported, CredentialTold, Notified, StatusChanged


@pytest.mark.parametrize(
    ("event", "hint"),
    [
        (Notified(2, 6, 12), Hint("removed", None, is_all=True)),
        (Notified(2, 6, 12, user=3), Hint("removed", None, is_all=True)),
        (Notified(2, 6, 13, user=3), Hint("removed", 3)),
        (Notified(2, 6, 14, user=3), Hint("added", 3)),
        (Notified(2, 6, 14), Hint("added", None)),
        (Notified(2, 6, 14, user=3, is_legacy=True), Hint("added", 3)),
        (Notified(2, 6, 14, is_legacy=True), None),
        (Notified(2, 6, 12, is_legacy=True), Hint("removed", None, is_all=True)),
        (Notified(2, 6, 15, user=3), None),
        (Notified(2, 7, 13, user=3), None),
        (CodeReported(2, 3, "changed"), Hint("changed", 3, is_read=True)),
        (CredentialTold(2, "added", 3, 1), Hint("added", 3)),
        (CredentialTold(2, "changed", 3, 2), Hint("changed", 3)),
        (CredentialTold(2, "added", 3, 5), None),
        (CredentialTold(2, "removed"), Hint("removed", None)),
        (StatusChanged(2, 4), None),
    ],
)
def test_what_a_lock_says_of_its_codes(event: Any, hint: Hint | None) -> None:
    assert hint_of(event) == hint


def test_a_duplicate_changes_nothing_and_is_heard() -> None:
    assert is_duplicate(Notified(2, 6, 15, user=3))
    assert not is_duplicate(Notified(2, 6, 14, user=3))
    assert not is_duplicate(StatusChanged(2, 4))


@pytest.mark.parametrize(
    ("own", "hint", "now", "is_echo"),
    [
        (Own(3, PUT), Hint("added", 3), 0.0, True),
        (Own(3, PUT), Hint("removed", 3), 0.0, True),  # some delete before they write
        (Own(3, PUT), Hint("added", None), 0.0, True),
        (Own(3, PUT), Hint("removed", None), 0.0, False),
        (Own(3, PUT), Hint("added", 4), 0.0, False),
        (Own(3, PUT, until=5.0), Hint("added", 3), 4.9, True),
        (Own(3, PUT, until=5.0), Hint("changed", 3, is_read=True), 4.9, True),
        (Own(3, PUT, until=5.0), Hint("added", 3), 5.1, False),
        (Own(3, PUT, until=5.0), Hint("removed", 3), 1.0, False),  # a lock that drops what it has just stored
        (Own(3, CLEAR, until=5.0), Hint("removed", 3), 1.0, True),
        (Own(3, CLEAR, until=5.0), Hint("added", 3), 1.0, False),
        (Own(3, CLEAR, until=5.0), Hint("removed", None), 1.0, True),
        (Own(3, CLEAR, until=5.0), Hint("removed", None, is_all=True), 1.0, False),
        (Own(3, CLEAR), Hint("removed", None, is_all=True), 0.0, False),
        (Own(3, READ), Hint("changed", 3, is_read=True), 0.0, True),
        (Own(3, READ), Hint("added", 3), 0.0, False),
        (Own(3, READ, until=5.0), Hint("changed", 3, is_read=True), 1.0, True),
        (Own(3, READ, until=5.0), Hint("added", 3), 1.0, False),
        (Own(3, READ, until=5.0), Hint("changed", 3, is_read=True), 6.0, False),
    ],
)
def test_echoes_of_the_hubs_own_commands(own: Own, hint: Hint, now: float, is_echo: bool) -> None:  # noqa: FBT001 - a case
    assert own.explains(hint, now) is is_echo
