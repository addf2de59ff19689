import pytest
from hubd_drivers.salto_space.document import Element
from hubd_drivers.salto_space.sim.builders import add_history
from hubd_drivers.salto_space.sim.people import Operator, Person
from hubd_drivers.salto_space.sim.quirks import Quirks

from tests.drivers.salto_space.sim.asking import SUMMER, Asker, small_site
from tests.support.clock import ManualClock

READ = "SaltoDBAuditTrail.Read"


def asker(events: int = 5, quirks: Quirks | None = None) -> Asker:
    clock = ManualClock(SUMMER)
    site = small_site(clock)
    Operator(site).give_key("u1", "04AB")
    add_history(site, events, days=0)
    return Asker(site, quirks, clock)


def events(params: Element) -> list[Element]:
    trail = params.child("SaltoDBAuditTrail")
    assert trail is not None
    return trail.children


def ids(params: Element) -> list[int]:
    return [int(event.value("EventID")) for event in events(params)]


async def test_the_start_is_inclusive_and_pages_are_cut() -> None:
    here = asker(5)
    known = [event.id for event in here.site.trail.events]
    assert ids(await here.ask(READ)) == known
    start = f"<StartingFromEventID>{known[1]}</StartingFromEventID>"
    assert ids(await here.ask(READ, f"<MaxCount>2</MaxCount>{start}")) == known[1:3]
    after = f"<StartingFromEventID>{known[-1] + 1}</StartingFromEventID>"
    assert ids(await here.ask(READ, after)) == []
    assert (await here.ask(READ)).child("EOF") is None


@pytest.mark.parametrize(
    ("quirk", "wanted"),
    [("from_start_down", [2, 1, 0]), ("start_is_floor", [4, 3, 2]), ("ignored", [2, 3, 4])],
)
async def test_descending_order_is_read_in_three_ways(quirk: str, wanted: list[int]) -> None:
    here = asker(5, Quirks(descending=quirk))  # type: ignore[arg-type]
    known = [event.id for event in here.site.trail.events]
    start = f"<StartingFromEventID>{known[2]}</StartingFromEventID><DescendingOrder>1</DescendingOrder>"
    assert ids(await here.ask(READ, start)) == [known[place] for place in wanted]


async def test_descending_without_a_start_begins_with_the_newest() -> None:
    here = asker(5)
    newest = ids(await here.ask(READ, "<MaxCount>1</MaxCount><DescendingOrder>1</DescendingOrder>"))
    assert newest == [here.site.trail.last_id]


async def test_doors_and_users_are_shown_as_asked() -> None:
    here = asker(0)
    here.site.permit("User_Door", "u1", "d1")
    Person(here.site).opens("d1", "u1", is_exit=True)
    Person(here.site).leaves_open("d1")
    Operator(here.site).collects("d1")
    shown = []
    for doors, users in ((0, 0), (1, 1), (1, 2)):
        asked = f"<ShowDoorIDAs>{doors}</ShowDoorIDAs><ShowUserIDAs>{users}</ShowUserIDAs>"
        opened, left = events(await here.ask(READ, asked))
        shown.append((opened.value("DoorID"), opened.value("SubjectID"), left.value("SubjectID")))
        assert (opened.value("IsExit"), opened.value("SubjectType"), left.value("SubjectType")) == ("1", "0", "1")
    assert shown == [("Door 1", "Ana García 1", "Door 1"), ("d1", "u1", "d1"), ("d1", "04AB", "d1")]
    here.site.remove(here.site.doors["d1"])
    here.site.remove(here.site.users["u1"])
    gone = events(await here.ask(READ))[0]
    assert (gone.value("DoorID"), gone.value("SubjectID")) == ("Door 1", "Ana García 1")


async def test_times_are_local_or_utc() -> None:
    utc = "<ShowTimeInUTC>1</ShowTimeInUTC>"
    for quirks, asked, wanted in (
        (Quirks(), "", "2026-07-01T12:00:00"),
        (Quirks(), utc, "2026-07-01T10:00:00"),
        (Quirks(utc_ignored=True), utc, "2026-07-01T12:00:00"),
    ):
        assert events(await asker(1, quirks).ask(READ, asked))[0].value("EventDateTime") == wanted


async def test_filters_choose_and_refuse() -> None:
    here = asker(20)
    only = events(await here.ask(READ, "<FilterExpression>Operation = 28</FilterExpression>"))
    assert {event.value("Operation") for event in only} == {"28"}
    assert len(only) == 2
    assert await here.code(READ, "<FilterExpression>DoorName LIKE 'x'</FilterExpression>") == 7
    utc = "<FilterExpression>EventDateTime = '2026-07-01T10:00:00'</FilterExpression>"
    assert len(events(await here.ask(READ, utc))) == 0
    assert len(events(await asker(20, Quirks(filter_times="utc")).ask(READ, utc))) == 20


async def test_the_end_may_be_told_and_pages_capped() -> None:
    here = asker(5, Quirks(audit_eof=True, page_cap=3))
    first = await here.ask(READ)
    assert (len(events(first)), first.value("EOF")) == (3, "0")
    rest = await here.ask(READ, f"<StartingFromEventID>{ids(first)[-1]}</StartingFromEventID>")
    assert (len(events(rest)), rest.value("EOF")) == (3, "1")


async def test_bad_parameters_have_their_codes() -> None:
    here = asker(1)
    assert await here.code(READ, "<StartingFromEventID>x</StartingFromEventID>") == 503
    assert await here.code(READ, "<ShowUserIDAs>3</ShowUserIDAs>") == 12
    assert await here.code(READ, "<MaxCount>-1</MaxCount>") == 12
