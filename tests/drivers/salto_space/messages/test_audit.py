from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hubd_drivers.salto_space.fields import SubjectType, UserIdAs
from hubd_drivers.salto_space.messages import Effect
from hubd_drivers.salto_space.messages.audit import AuditEvent, list_events, read_event, read_events

from tests.drivers.salto_space.messages.samples import record, result

EVENT = """<SaltoDBAuditTrailEvent><EventID>{}</EventID><EventDateTime>2024-07-01T12:00:00</EventDateTime>
<Operation>17</Operation><IsExit>1</IsExit><DoorID>door1</DoorID><SubjectType>0</SubjectType><SubjectID>u1</SubjectID></SaltoDBAuditTrailEvent>"""


def test_an_event() -> None:
    assert read_event(record(EVENT.format(7)), ZoneInfo("Europe/Madrid")) == AuditEvent(
        id=7,
        at=datetime(2024, 7, 1, 10, tzinfo=UTC),
        operation=17,
        is_exit=True,
        door="door1",
        subject_type=SubjectType.CARDHOLDER,
        subject_type_number=0,
        subject="u1",
    )


def test_an_id_of_twenty_digits_is_whole() -> None:
    found = read_event(record(EVENT.format("00018446744073709551617")), UTC)
    assert found is not None
    assert found.id == 2**64 + 1


@pytest.mark.parametrize("text", ["", "-1", "x", "1.5", "9" * 25])
def test_an_event_without_a_usable_id_is_counted(text: str) -> None:
    page = read_events(
        result("X", f"<SaltoDBAuditTrail>{EVENT.format(text)}{EVENT.format(2)}</SaltoDBAuditTrail>"), UTC
    )
    assert ([one.id for one in page.records], page.broken, page.eof) == ([2], 1, None)


def test_an_event_that_says_nothing_more() -> None:
    found = read_event(
        record("<E><EventID>1</EventID><Operation>4242</Operation><SubjectType>9</SubjectType></E>"), UTC
    )
    assert found == AuditEvent(id=1, operation=4242, subject_type_number=9)


def test_asking_from_a_cursor_on() -> None:
    request = list_events(100, 8)
    assert (request.name, request.effect) == ("SaltoDBAuditTrail.Read", Effect.READS)
    assert [(one.name, one.text) for one in request.params] == [
        ("MaxCount", "100"),
        ("StartingFromEventID", "8"),
        ("ShowDoorIDAs", "1"),
        ("ShowUserIDAs", "1"),
        ("DescendingOrder", "0"),
        ("ShowTimeInUTC", "1"),
    ]


def test_asking_in_other_ways() -> None:
    request = list_events(1, utc=False, descending=True, where="Operation = 17", users_as=UserIdAs.CARD_SERIAL)
    assert [(one.name, one.text) for one in request.params] == [
        ("MaxCount", "1"),
        ("FilterExpression", "Operation = 17"),
        ("ShowDoorIDAs", "1"),
        ("ShowUserIDAs", "2"),
        ("DescendingOrder", "1"),
        ("ShowTimeInUTC", "0"),
    ]
    assert b"&lt;&gt;" in list_events(1, where="Operation <> 17").body
    assert list_events(1, 0).params.value("StartingFromEventID") == "0"
    with pytest.raises(ValueError, match="at least one"):
        list_events(0)
