from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET

from hubd.api.acs_new_user import email_of, phone_of
from hubd.model import CreateUser, SetMembership, rejected
from hubd.model.errors import InvalidInputError
from tests.hubd.api.access import Acs, running_acs
from tests.support import access
from tests.support.site import eventually

NOBODY = "33333333-3333-4333-8333-333333333333"


def new(acs: Acs, **members: Any) -> dict[str, Any]:
    return {"acs_system_id": acs.system_id, "full_name": "Cora Example", **members}


async def create(acs: Acs, body: dict[str, Any], **options: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await acs.api.ok("/acs/users/create", body, **options))["acs_user"]
    return found


async def test_a_new_user_is_in_the_system_when_the_call_returns(acs: Acs) -> None:
    body = new(
        acs,
        email_address="cora@example.com",
        phone_number="+43 660 1",
        access_schedule={"starts_at": "2026-01-01T10:00:00Z", "ends_at": None},
        acs_access_group_ids=[acs.group_id("group-guests"), acs.group_id("group-guests")],
    )
    made = await create(acs, body)
    native_id = made["salto_space_metadata"]["user_id"]
    assert len(native_id) == 32
    assert native_id == native_id.upper()
    held = acs.system.users[native_id]
    assert (held.full_name, held.phone_number, held.groups) == ("Cora Example", "+43 660 1", ("group-guests",))
    assert made["access_schedule"] == {"starts_at": "2026-01-01T10:00:00Z", "ends_at": None}
    assert (made["email_address"], made["pending_mutations"], made["errors"]) == ("cora@example.com", [], [])
    assert await acs.user(native_id) == made
    assert await acs.types(event_type="acs_user.created") == ["acs_user.created"]


async def test_a_slow_system_answers_with_a_user_that_is_being_made(tmp_path: Path) -> None:
    async with running_acs(tmp_path / "data", hold_seconds=0.05) as acs:
        acs.system.refusals[CreateUser] = access.busy()
        made = await create(acs, new(acs, acs_access_group_ids=[acs.group_id("group-guests")]))
        codes = [one["mutation_code"] for one in made["pending_mutations"]]
        assert codes == ["creating", "updating_group_membership"]
        acs.system.refusals.clear()
        await acs.settled()
        found = await acs.user(made["salto_space_metadata"]["user_id"])
        assert (found["acs_user_id"], found["pending_mutations"]) == (made["acs_user_id"], [])


async def test_a_refused_user_leaves_nothing_behind(acs: Acs) -> None:
    acs.system.refusals[CreateUser] = rejected("licence_full", "The licence has no user left; delete one.")
    headers = {"idempotency-key": "k1"}
    error = await acs.api.refused("/acs/users/create", new(acs), headers=headers)
    assert (error["status"], error["type"]) == (400, "licence_full")
    assert len((await acs.api.ok("/acs/users/list"))["acs_users"]) == 2
    assert acs.api.hub.access.pending("space") == []
    assert await acs.types(event_types=["acs_user.created", "acs_user.deleted"]) == []
    acs.system.refusals.clear()
    made = await create(acs, new(acs), headers=headers)
    assert made["salto_space_metadata"]["user_id"] in acs.system.users


async def test_one_that_is_not_put_into_a_group_is_taken_back(acs: Acs) -> None:
    acs.system.refusals[SetMembership] = rejected("group_full", "The access level takes no more users.")
    body = new(acs, acs_access_group_ids=[acs.group_id("group-guests")])
    assert (await acs.api.refused("/acs/users/create", body))["type"] == "group_full"
    await eventually(lambda: len(acs.system.users) == 2)
    await acs.settled()
    assert len((await acs.api.ok("/acs/users/list"))["acs_users"]) == 2


async def test_the_same_idempotency_key_is_one_user_also_after_a_restart(tmp_path: Path) -> None:
    headers, system = {"idempotency-key": "k1"}, access.furnished()
    async with running_acs(tmp_path / "data", system) as acs:
        token, body = acs.api.token, new(acs)
        made = await create(acs, body, headers=headers)
        assert (await create(acs, body, headers=headers))["acs_user_id"] == made["acs_user_id"]
    async with running_acs(tmp_path / "data", system) as acs:
        again = await create(acs, body, headers=headers, token=token)
        assert again["acs_user_id"] == made["acs_user_id"]
        assert len(system.users) == 3


BAD: list[tuple[str, dict[str, Any]]] = [
    ("full_name", {"full_name": ""}),
    ("full_name", {"full_name": 5}),
    ("email_address", {"email_address": "x"}),
    ("phone_number", {"phone_number": ""}),
    ("acs_access_group_ids", {"acs_access_group_ids": ["x"]}),
    ("access_schedule.ends_at", {"access_schedule": {"ends_at": "tomorrow"}}),
]


@pytest.mark.parametrize(("member", "values"), BAD)
async def test_bad_members_are_named_and_nobody_is_made(acs: Acs, member: str, values: dict[str, Any]) -> None:
    await acs.api.wrong(member, "/acs/users/create", new(acs, **values))
    assert acs.system.changes == []


async def test_what_is_refused_before_anything_is_wished(acs: Acs) -> None:
    for body, kind in (
        (new(acs, acs_system_id=NOBODY), "acs_system_not_found"),
        (new(acs, acs_access_group_ids=[NOBODY]), "acs_access_group_not_found"),
        (new(acs, user_identity_id=NOBODY), "not_supported"),
    ):
        assert (await acs.api.refused("/acs/users/create", body))["type"] == kind
    assert acs.system.changes == []
    assert len((await acs.api.ok("/acs/users/list"))["acs_users"]) == 2


def test_seams_two_words_for_an_address() -> None:
    assert email_of(UNSET, "a@example.com") == email_of("a@example.com", UNSET) == "a@example.com"
    assert email_of(UNSET, UNSET) is UNSET
    with pytest.raises(InvalidInputError):
        email_of("a@example.com", "b@example.com")
    assert phone_of(None) is None
    assert phone_of(" 5 ") == "5"
