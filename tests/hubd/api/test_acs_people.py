from datetime import UTC, datetime

from msgspec.structs import replace

from hubd.api.acs_people import People, by_subject, is_being_deleted
from hubd.model import AcsUser, DeleteGroup, DeleteUser, EditUser, RevokeAll
from hubd.store.access import EditRecord, Problem, UserRecord
from hubd.store.codes import Trouble
from tests.hubd.api.access import Acs

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def edit(change: EditUser | DeleteUser | DeleteGroup | RevokeAll, subject_id: str = "s") -> EditRecord:
    return EditRecord(
        id="e", instance="space", created_at=NOW, number=1, change=change, by="key", subject_id=subject_id
    )


async def record(acs: Acs, native_id: str = "user-ada") -> UserRecord:
    return acs.api.hub.access.user(acs.user_id(native_id))


async def test_a_user_as_seam_shows_them(acs: Acs) -> None:
    found = await acs.user("user-ada")
    assert (found["full_name"], found["display_name"], found["phone_number"]) == (
        "Ada Example",
        "Ada Example",
        "+43 1 234",
    )
    assert (found["external_type"], found["external_type_display_name"]) == ("salto_space_user", "Scripted Space user")
    assert found["salto_space_metadata"] == {"audit_openings": False, "user_id": "user-ada"}
    assert (found["is_managed"], found["is_suspended"], found["last_successful_sync_at"]) == (True, False, None)
    assert (found["errors"], found["warnings"], found["pending_mutations"]) == ([], [], [])
    assert not {"access_schedule", "email", "email_address"} & found.keys()
    assert not [name for name in found if name.startswith("user_identity")]


async def test_times_without_a_start_begin_when_the_hub_first_knew(acs: Acs) -> None:
    known = await record(acs)
    ended = replace(known, user=replace(known.user, ends_at=NOW))
    schedule = People(acs.api.hub).user(ended).access_schedule
    assert (schedule.starts_at, schedule.ends_at) == (known.created_at, NOW)  # type: ignore[union-attr]


async def test_problems_are_errors_of_seams_list(acs: Acs) -> None:
    known, people = await record(acs), People(acs.api.hub)
    for what, code in (
        ("create_user", "failed_to_create_on_acs_system"),
        ("delete_user", "failed_to_delete_on_acs_system"),
        ("set_membership", "failed_to_update_on_acs_system"),
    ):
        (error,) = people.user(replace(known, problem=Problem(what, "No room.", NOW))).errors
        assert (error.error_code, error.created_at) == (code, NOW)
        assert "No room." in error.message


async def test_what_is_to_be_taken_away(acs: Acs) -> None:
    known, people = await record(acs), People(acs.api.hub)
    shape = people.user(known, [edit(RevokeAll(subject="user-ada"))])
    (mutation,) = shape.pending_mutations
    assert mutation.old == {"acs_access_group_id": acs.group_id("group-staff")}
    assert mutation.new == {"acs_access_group_id": None}
    assert [one.hub_code for one in shape.warnings] == ["rights_not_taken_yet"]


async def test_why_something_waits_is_said(acs: Acs) -> None:
    trouble = Trouble("record_locked", "Somebody has it open.", NOW, 1, NOW)
    waiting = replace(edit(EditUser(subject="user-ada", ends_at=NOW)), trouble=trouble)
    (mutation,) = People(acs.api.hub).user(await record(acs), [waiting]).pending_mutations
    assert mutation.mutation_code == "updating_access_schedule"
    assert mutation.old == {"starts_at": None, "ends_at": None}
    assert mutation.new == {"starts_at": None, "ends_at": NOW}
    assert mutation.message.endswith("Somebody has it open.")


async def test_a_group_tells_what_the_system_did_not_take(acs: Acs) -> None:
    known = acs.api.hub.access.group(acs.group_id("group-staff"))
    shape = People(acs.api.hub).group(replace(known, problem=Problem("delete_group", "It is in use.", NOW)))
    assert [one.warning_code for one in shape.warnings] == ["unknown_issue_with_acs_access_group"]
    assert shape.errors == []


def test_what_waits_by_subject() -> None:
    first, second = edit(DeleteUser(subject="a"), "a"), edit(EditUser(subject="b"), "b")
    assert by_subject([first, second]) == {"a": [first], "b": [second]}
    assert is_being_deleted([second, first])
    assert is_being_deleted([edit(DeleteGroup(subject="g"))])
    assert not is_being_deleted([second])


def test_names_stay_out_of_what_is_logged() -> None:
    assert "Ada" not in repr(AcsUser("user-ada", "Ada"))
