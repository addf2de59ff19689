import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from hubd.model import LockDoor, Outcome, done, rejected, sent_unconfirmed, unreachable
from hubd.model.access import AcsGone, AcsGroup, AcsUser, AcsZone, DeleteGroup, DeleteUser, EditUser
from hubd.model.access_event import (
    AccessEditEnded,
    AccessSystemFound,
    AcsGroupChanged,
    AcsUserChanged,
    EntranceAudited,
    EntranceChanged,
)
from hubd.model.event import CommandResolved, Event
from hubd.store.access import CredentialRecord, EditRecord, GroupRecord, Problem, SystemRecord, UserRecord, ZoneRecord
from hubd.store.records import CommandRecord
from hubd.store.tables import Overlay, View
from tests.hubd.core.access.scene import SPACE, Scene, card, line
from tests.support.clock import NOON

ANNA = AcsUser("anna", "Anna Berger")
STAFF = AcsGroup("staff", "Staff")


def audited(events: Sequence[Event]) -> list[EntranceAudited]:
    return [event for event in events if isinstance(event, EntranceAudited)]


# -- what was there, and what is new -----------------------------------------------------------------------------------


def test_the_first_reading_is_knowledge_and_what_appears_from_then_on_is_news() -> None:
    scene = Scene(is_connected=False)
    events = scene.tell(ANNA, STAFF, AcsZone("z", "Zone"), bookmark="7")
    assert events == [AccessSystemFound()]
    assert scene.news() == ["acs_system.added"]
    assert (scene.system.is_read, scene.system.bookmark) == (False, "7")
    scene.is_connected = True
    ben = AcsUser("ben", "Ben")
    events = scene.tell(ben, AcsGroup("guests", "Guests"))
    assert scene.system.is_read
    assert events == [
        AcsUserChanged(user_id=scene.user("ben").id, change="created"),
        AcsGroupChanged(group_id=scene.notes.group_id(SPACE, "guests"), change="created"),
    ]
    assert scene.news() == ["acs_user.created"]


def test_a_reading_that_broke_off_goes_on_in_silence_in_the_next_life() -> None:
    scene = Scene(is_connected=False)
    scene.tell(ANNA)
    assert scene.tell(ANNA, AcsUser("ben", "Ben")) == []
    assert len(scene.tables.access.all(UserRecord)) == 2


def test_what_was_read_once_is_news_also_while_the_link_is_down() -> None:
    scene = Scene()
    scene.tell(ANNA)
    scene.is_connected = False
    scene.news()
    scene.tell(AcsUser("ben", "Ben"))
    assert scene.news() == ["acs_user.created"]


def test_the_same_again_is_nothing_and_a_change_says_what_changed() -> None:
    scene = Scene()
    scene.tell(ANNA, STAFF)
    scene.news()
    assert scene.tell(ANNA, STAFF) == []
    later = replace(ANNA, full_name="Anna B.", is_suspended=True)
    assert scene.tell(later, replace(STAFF, description="All")) == [
        AcsUserChanged(user_id=scene.user().id, change="updated", members=("full_name", "is_suspended")),
        AcsGroupChanged(group_id=scene.notes.group_id(SPACE, "staff"), change="updated", members=("description",)),
    ]
    assert scene.news() == []
    assert (scene.user().user, scene.user().created_at) == (later, NOON)


def test_what_somebody_had_made_is_news_when_the_system_tells_of_it() -> None:
    scene = Scene()
    scene.tell()
    user_id = scene.notes.user_id(SPACE, "anna")
    made = UserRecord(
        id=user_id,
        instance=SPACE,
        created_at=NOON - timedelta(days=1),
        user=ANNA,
        is_present=False,
        email_address="anna@example.com",
        problem=Problem("create_user", "No.", NOON),
    )
    scene.put(made)
    scene.news()
    assert scene.tell(ANNA) == [AcsUserChanged(user_id=user_id, change="created")]
    assert scene.news() == ["acs_user.created"]
    assert scene.user() == replace(made, is_present=True, problem=None)


def test_zones_are_kept_without_events() -> None:
    scene = Scene()
    scene.tell(AcsZone("z", "Zone", entrances=("a",)))
    first = scene.tables.access.all(ZoneRecord)[scene.notes.zone_id(SPACE, "z")]
    scene.at += timedelta(days=1)
    assert scene.tell(AcsZone("z", "Zone", entrances=("a", "b"))) == []
    (zone,) = scene.tables.access.all(ZoneRecord).values()
    assert (zone.zone.entrances, zone.created_at) == (("a", "b"), first.created_at)
    assert scene.tell(AcsGone("zone", "z")) == []
    assert not scene.tables.access.all(ZoneRecord)


def test_who_is_gone_is_gone_once() -> None:
    scene = Scene()
    scene.tell(ANNA, STAFF)
    user_id, group_id = scene.user().id, scene.notes.group_id(SPACE, "staff")
    scene.news()
    gone = (AcsGone("user", "anna"), AcsGone("group", "staff"))
    assert scene.tell(*gone) == [
        AcsUserChanged(user_id=user_id, change="deleted"),
        AcsGroupChanged(group_id=group_id, change="deleted"),
    ]
    assert scene.news() == ["acs_user.deleted", "acs_access_group.deleted"]
    assert scene.tell(*gone) == []
    assert not scene.tables.access.all(UserRecord)
    assert not scene.tables.access.all(GroupRecord)


def test_ids_are_those_of_the_instance_and_the_kind() -> None:
    notes = Scene().notes
    made = {notes.user_id(SPACE, "1"), notes.group_id(SPACE, "1"), notes.zone_id(SPACE, "1"), notes.system_id(SPACE)}
    made |= {notes.user_id("annex", "1"), notes.user_id(SPACE, "2")}
    assert len(made) == 6
    assert Scene().notes.user_id(SPACE, "1") == notes.user_id(SPACE, "1")


# -- wishes about what is gone -----------------------------------------------------------------------------------------


def edit(number: int, change: EditUser | DeleteUser | DeleteGroup, subject_id: str) -> EditRecord:
    return EditRecord(
        id=f"e{number}", instance=SPACE, created_at=NOON, number=number, change=change, by="k", subject_id=subject_id
    )


def test_with_who_is_gone_end_the_wishes_about_them_and_no_others() -> None:
    scene = Scene()
    scene.tell(ANNA, AcsUser("ben", "Ben"), STAFF)
    anna, ben, staff = scene.user().id, scene.user("ben").id, scene.notes.group_id(SPACE, "staff")
    scene.put(
        edit(1, EditUser(subject="anna", full_name="A"), anna),
        edit(2, DeleteUser(subject="anna"), anna),
        edit(3, EditUser(subject="ben", full_name="B"), ben),
        edit(4, DeleteGroup(subject="staff"), staff),
    )
    ended = [event for event in scene.tell(AcsGone("user", "anna")) if isinstance(event, AccessEditEnded)]
    assert [(one.edit_id, one.error_code) for one in ended] == [("e1", "subject_gone"), ("e2", "")]
    assert ended[0].message == "It is no more in the system."
    ended = [event for event in scene.tell(AcsGone("group", "staff")) if isinstance(event, AccessEditEnded)]
    assert [(one.edit_id, one.error_code) for one in ended] == [("e4", "")]
    assert list(scene.tables.access.all(EditRecord)) == ["e3"]


def test_who_comes_and_goes_in_one_step_leaves_nothing() -> None:
    scene = Scene()
    ben = AcsUser("ben", "Ben", card=card("B2"))
    scene.tell(ANNA, ben, AcsGone("user", "anna"), ANNA, AcsGone("user", "ben"))
    assert list(scene.tables.access.all(UserRecord)) == [scene.user().id]
    assert not scene.tables.access.all(CredentialRecord)
    again = replace(ANNA, card=card())
    scene.tell(AcsGone("user", "nobody"), again, AcsGone("user", "anna"))
    assert not scene.tables.access.all(CredentialRecord)


def test_many_who_go_at_once_do_not_take_long() -> None:
    scene = Scene()
    people = [AcsUser(f"u{number}", f"User {number}", card=card(str(number))) for number in range(3000)]
    scene.tell(*people)
    began = time.perf_counter()
    scene.tell(*(AcsGone("user", one.native_id) for one in people))
    assert time.perf_counter() - began < 1.0  # looking through all for each takes more than ten seconds
    assert not scene.tables.access.all(UserRecord)


# -- the audit trail ---------------------------------------------------------------------------------------------------


def test_a_line_is_an_event_at_its_own_time_with_door_and_person() -> None:
    scene = Scene()
    scene.door()
    scene.tell(ANNA)
    scene.news()
    (event,) = audited(scene.tell(line("9", user="anna", subject="Berger, Anna", is_exit=True)))
    assert event == EntranceAudited(
        trail_id="9",
        operation=17,
        name="Door opened: key",
        passage="granted",
        method="card",
        user_id=scene.user().id,
        is_exit=True,
    )
    assert scene.news() == ["lock.unlocked"]


@pytest.mark.parametrize(
    ("passage", "public"), [("granted", "lock.unlocked"), ("refused", "lock.access_denied"), ("other", None)]
)
def test_what_a_line_is_to_the_public(passage: str, public: str | None) -> None:
    for is_managed in (True, False):
        scene = Scene()
        scene.door(is_managed=is_managed)
        scene.tell()
        scene.news()
        scene.tell(line(passage=passage))
        assert scene.news() == ([public] if is_managed and public else [])


def test_of_who_is_no_user_and_of_a_door_that_is_not_known_there_are_names() -> None:
    scene = Scene()
    (event,) = audited(scene.tell(line(entrance="far", entrance_name="Far door", subject="Operator admin")))
    assert (event.entrance_name, event.subject, event.user_id) == ("Far door", "Operator admin", None)


def test_bookmark_and_lines_are_one_transaction() -> None:
    scene = Scene()
    scene.tell(bookmark="1")
    before = dict(scene.tables.access.all(SystemRecord))

    def broken(view: View) -> None:
        scene.notes.take_in(view, SPACE, (line("2"),), "2")
        raise RuntimeError("the rest of the transaction fails")

    with pytest.raises(RuntimeError):
        scene.transact(broken)
    assert scene.tables.access.all(SystemRecord) == before
    assert len(audited(scene.tell(line("2"), bookmark="2"))) == 1
    assert scene.system.bookmark == "2"
    assert scene.tell(bookmark="2") == []


def test_a_line_that_tells_of_a_condition_sets_it_at_its_time_and_a_late_one_does_not() -> None:
    scene = Scene()
    scene.door()
    late = line("2", passage="other", at=NOON - timedelta(minutes=1), condition=("left_open", False))
    events = scene.tell(line(passage="other", condition=("left_open", True)), late)
    assert [event for event in events if isinstance(event, EntranceChanged)] == [
        EntranceChanged(condition="left_open", is_on=True)
    ]
    assert scene.tables.devices["Main"].state.conditions["left_open"].is_on


# -- openings that were ordered ----------------------------------------------------------------------------------------


def test_of_two_openings_for_one_order_only_the_first_carries_it() -> None:
    scene = Scene()
    scene.door()
    scene.order("Main", "r1", done())
    first, second = audited(scene.tell(line("1", is_remote=True), line("2", is_remote=True)))
    assert (first.request_id, second.request_id) == ("r1", None)
    assert scene.opened == {"Main": "r1"}


@pytest.mark.parametrize(
    ("members", "is_its_effect"),
    [
        ({"is_remote": True}, True),
        ({"is_remote": False}, False),
        ({"is_remote": True, "passage": "refused"}, False),
        ({"is_remote": True, "at": NOON - timedelta(seconds=119)}, True),
        ({"is_remote": True, "at": NOON - timedelta(seconds=121)}, False),
        ({"is_remote": True, "at": NOON + timedelta(seconds=15 + 120)}, True),
        ({"is_remote": True, "at": NOON + timedelta(seconds=15 + 121)}, False),
        ({"is_remote": True, "entrance": "Side"}, False),
    ],
)
def test_which_opening_is_the_effect_of_an_order(members: dict[str, Any], *, is_its_effect: bool) -> None:
    scene = Scene()
    scene.door()
    scene.door("Side")
    scene.order("Main", "r1", done())
    (event,) = audited(scene.tell(line(**members)))
    assert (event.request_id == "r1", scene.opened == {"Main": "r1"}) == (is_its_effect, is_its_effect)


def test_an_order_to_lock_or_one_that_was_not_sent_opens_nothing() -> None:
    scene = Scene()
    scene.door()
    scene.orders["Main"] = "r1"
    lock = LockDoor(device_id="Main", native_id="Main")
    scene.tables.put_command(CommandRecord("r1", lock, "k", NOON, NOON, NOON))
    assert audited(scene.tell(line(is_remote=True)))[0].request_id is None
    scene.order("Main", "r2")
    waiting = scene.tables.command("r2")
    assert waiting is not None
    scene.tables.put_command(replace(waiting, started_at=None))
    assert audited(scene.tell(line(is_remote=True)))[0].request_id is None
    scene.orders["Main"] = "forgotten"
    assert audited(scene.tell(line(is_remote=True)))[0].request_id is None


@pytest.mark.parametrize("outcome", [rejected("refused", "No."), unreachable("gone", "It is gone.")])
def test_an_order_that_opened_nothing_is_behind_no_opening(outcome: Outcome) -> None:
    scene = Scene()
    scene.door()
    scene.order("Main", "r1", outcome)
    assert audited(scene.tell(line(is_remote=True)))[0].request_id is None
    assert scene.opened == {}


@pytest.mark.parametrize(("outcome", "is_proved"), [(sent_unconfirmed("No answer."), True), (done(), False)])
def test_an_order_may_end_after_its_opening_was_told(outcome: Outcome, *, is_proved: bool) -> None:
    scene = Scene()
    scene.door()
    scene.order("Main", "r1")
    assert audited(scene.tell(line(is_remote=True)))[0].request_id == "r1"
    under_way = scene.tables.command("r1")
    assert under_way is not None
    scene.tables.put_command(replace(under_way, outcome=outcome))
    for _ in range(2):  # the disk may refuse the first try
        events = scene.transact(lambda view: scene.notes.unlocked(view, "Main", "other"))
        assert events == []
        view = View(scene.tables, Overlay(), NOON)
        scene.notes.unlocked(view, "Main", "r1")
        assert bool(view.own.drafts) is is_proved


def test_an_order_without_an_answer_is_proved_by_the_audit_trail() -> None:
    scene = Scene()
    scene.door()
    scene.order("Main", "r1", sent_unconfirmed("No answer came."))
    events = scene.tell(line(is_remote=True))
    (resolved,) = [event for event in events if isinstance(event, CommandResolved)]
    assert (resolved.request_id, resolved.reached) == ("r1", True)
    assert scene.news()[-1] == "action_attempt.unlock_door.succeeded"
    assert not [event for event in scene.tell(line("2", is_remote=True)) if isinstance(event, CommandResolved)]
