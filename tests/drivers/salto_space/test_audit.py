"""Lines of the trail, and the mark behind the last one that was told."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hubd_drivers.salto_space.audit import REMEMBERED, Mark, Place, entry, is_utc, read_mark, sign, taken_as_local
from hubd_drivers.salto_space.fields import SubjectType, moment
from hubd_drivers.salto_space.messages import AuditEvent
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
MADRID, LONDON = ZoneInfo("Europe/Madrid"), ZoneInfo("Europe/London")
ONLINE, STANDALONE = Place("n1", "Gate", is_online=True), Place("n2", "Shed", is_online=False)
PLACES = {"d1": ONLINE, "d2": STANDALONE}


def line(number: int = 5, **values: object) -> AuditEvent:
    given_values = {"at": NOW, "operation": 17, "door": "d1", "subject_type": SubjectType.CARDHOLDER, "subject": "u"}
    return AuditEvent(id=number, **(given_values | values))  # type: ignore[arg-type]


def test_a_use_of_a_key() -> None:
    found = entry(line(10**20, is_exit=True), PLACES.get, NOW)
    assert (found.event_id, found.at, found.operation, found.passage) == (str(10**20), NOW, 17, "granted")
    assert (found.entrance, found.entrance_name, found.user, found.subject) == ("n1", "Gate", "u", "")
    assert (found.method, found.is_exit, found.is_remote) == ("card", True, False)


def test_an_opening_by_software() -> None:
    found = entry(line(operation=28, subject_type=SubjectType.OPERATOR, subject="_SALTO"), PLACES.get, NOW)
    assert (found.is_remote, found.method, found.user, found.subject) == (True, "remote", None, "_SALTO")


def test_what_is_not_known_is_kept() -> None:
    found = entry(line(operation=1234, door="gone", subject_type=None, subject="x"), PLACES.get, NOW)
    assert (found.operation, found.name, found.entrance, found.entrance_name) == (1234, "operation 1234", None, "gone")
    assert entry(line(operation=None), PLACES.get, NOW).operation == -1


def test_late_lines_keep_their_time_and_impossible_ones_do_not() -> None:
    late = NOW - timedelta(days=200)
    assert entry(line(at=late), PLACES.get, NOW).at == late
    assert entry(line(at=None), PLACES.get, NOW).at == NOW
    ahead = line(at=NOW + timedelta(days=400))
    assert entry(ahead, PLACES.get, NOW).at == NOW
    assert entry(ahead, PLACES.get, NOW, is_time_trusted=False).at == ahead.at, (
        "the hub's own clock may be the wrong one"
    )


@pytest.mark.parametrize(
    ("operation", "condition"), [(62, "left_open"), (60, "intrusion"), (61, "tamper"), (115, "low_battery")]
)
def test_conditions_of_online_doors_come_from_their_status(operation: int, condition: str) -> None:
    assert entry(line(operation=operation), PLACES.get, NOW).condition is None
    assert entry(line(operation=operation, door="d2"), PLACES.get, NOW).condition == (condition, True)


@pytest.mark.parametrize("operation", [49, 65, 40])
def test_office_and_privacy_mode_come_from_the_trail_for_every_door(operation: int) -> None:
    for door in PLACES:
        condition = entry(line(operation=operation, door=door), PLACES.get, NOW).condition
        assert condition is not None
        assert condition[1]


def as_both(text: str, zone: ZoneInfo, *, heeds: bool) -> tuple[datetime, datetime]:
    """Return what a server says of one instant when it is asked in both ways, as the client reads it."""
    true = moment(text, zone)
    assert true is not None
    in_utc = true.strftime("%Y-%m-%dT%H:%M:%S") if heeds else text
    asked_as_utc, asked_as_local = moment(in_utc, UTC), moment(text, zone)
    assert asked_as_utc is not None
    assert asked_as_local is not None
    return asked_as_utc, asked_as_local


@pytest.mark.parametrize("heeds", [True, False])
def test_whether_utc_is_heeded_shows_where_the_zone_is_not_utc(heeds: bool) -> None:  # noqa: FBT001
    assert is_utc(*as_both("2026-07-01T12:00:00", MADRID, heeds=heeds), MADRID) is heeds
    assert is_utc(*as_both("2026-07-01T12:00:00", LONDON, heeds=heeds), LONDON) is heeds
    assert is_utc(*as_both("2026-01-01T12:00:00", LONDON, heeds=heeds), LONDON) is None, "it is the same there"


def test_local_times_are_set_right() -> None:
    read = datetime(2026, 7, 1, 14, tzinfo=UTC)
    assert taken_as_local(read, MADRID) == NOW


def test_a_mark_is_written_and_read() -> None:
    mark = Mark(first="f").after(line(3), line(9, at=NOW + timedelta(hours=1)), line(10**20))
    assert read_mark(mark.write()) == mark
    assert (mark.id, mark.latest, [one for one, _ in mark.told]) == (10**20, NOW + timedelta(hours=1), [3, 9])
    assert read_mark(None) is None
    assert read_mark("{not") is None
    assert read_mark(Mark().write()) == Mark()


def test_a_mark_remembers_so_many_lines_and_no_more() -> None:
    mark = Mark()
    for number in range(1, 200):
        mark = mark.after(line(number))
    assert len(mark.told) == REMEMBERED
    assert mark.told[-1][0] == 198
    assert len(mark.write()) < 2000
    assert Mark().after(*(line(number) for number in range(1, 200))).told == mark.told


def test_lines_that_were_told_before_a_setback_are_skipped_until_it_is_passed() -> None:
    mark = Mark(skip_to=50, skip_at=NOW)
    assert mark.is_told(line(40))
    assert not mark.is_told(line(40, at=NOW + timedelta(seconds=1)))
    assert not mark.is_told(line(51))
    assert not mark.is_told(line(40, at=None))
    assert mark.after(line(40)).skip_at == NOW
    assert mark.after(line(50)).skip_at is None


@given(st.integers(1, 10**23), st.integers(-3, 3000), st.text(max_size=40), st.text(max_size=40))
def test_a_sign_tells_lines_apart(number: int, operation: int, door: str, subject: str) -> None:
    one = line(number, operation=operation, door=door, subject=subject)
    assert sign(one) == sign(line(number, operation=operation, at=NOW.astimezone(MADRID))), "both may be renamed"
    assert sign(one) != sign(line(number + 1, operation=operation, door=door, subject=subject))
    assert sign(one) != sign(line(number, operation=operation, door=door, subject=subject, at=NOW + timedelta(hours=1)))
    assert sign(one) != sign(line(number, operation=operation + 1, door=door, subject=subject))
