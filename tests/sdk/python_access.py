#!/usr/bin/env python3
"""Use an access control system with the official Python SDK, as property software would.

``python -m tests.sdk.python_access ENDPOINT KEY DOOR_NAME``, in the manner of ``python_client``. The hub must serve one
system with an online door called DOOR_NAME, a door that is not wired, an encoder at which somebody presents a card, an
access group that lets nobody pass DOOR_NAME, and a user.
"""

import sys
import uuid
from functools import partial
from typing import Any

from tests.sdk.python_client import Session, Step, check, eventually, main, refused, step

STEPS: list[Step] = []
NAME = "Dora Example"


def user(session: Session) -> Any:
    """Return the user that the steps made."""
    return session.seam.acs.users.get(acs_user_id=session.codes["user"])


def events(session: Session, **filters: Any) -> list[str]:
    """Return the types of the system's events that fit."""
    return [one.event_type for one in session.seam.events.list(acs_system_id=session.codes["system"], **filters)]


def doors_of(session: Session, group_id: str) -> set[str]:
    """Return the entrances that the members of a group may pass."""
    found = session.seam.acs.access_groups.list_accessible_entrances(acs_access_group_id=group_id)
    return {one.acs_entrance_id for one in found}


@step("exactly one system of Salto Space, reachable", STEPS)
def list_systems(session: Session) -> object:
    """List the systems, and get the one."""
    (found,) = session.seam.acs.systems.list()
    session.codes["system"] = found.acs_system_id
    again = session.seam.acs.systems.get(acs_system_id=found.acs_system_id)
    check(again.external_type == "salto_space_system", message=f"type {again.external_type}")
    check(again.errors == [], message=f"errors {again.errors}")
    return {"users": again.acs_user_count, "groups": again.acs_access_group_count}


@step("DOOR_NAME among the entrances, to be opened from afar; another that cannot; none among the devices", STEPS)
def list_entrances(session: Session) -> object:
    """List the entrances, and find both doors."""
    found = session.seam.acs.entrances.list(acs_system_id=session.codes["system"])
    (door,) = [one for one in found if one.display_name == session.name]
    check(door.can_unlock_with_cloud_key is True, message="can_unlock_with_cloud_key is not true")
    session.codes["door"] = session.seam.acs.entrances.get(acs_entrance_id=door.acs_entrance_id).acs_entrance_id
    standalone = [one for one in found if one.can_unlock_with_cloud_key is False]
    check(standalone, message="every door is wired")
    session.codes["standalone"] = standalone[0].acs_entrance_id
    devices = {one.device_id for one in session.seam.devices.list()}
    check(not devices & {one.acs_entrance_id for one in found}, message="an entrance is among the devices")
    return len(found)


@step("users, groups, credentials and encoders, each at least one", STEPS)
def list_the_rest(session: Session) -> object:
    """List what else there is."""
    acs, system = session.seam.acs, {"acs_system_id": session.codes["system"]}
    users, groups = acs.users.list(**system), acs.access_groups.list(**system)
    encoders, credentials = acs.encoders.list(**system), acs.credentials.list(**system)
    for name, found in (("users", users), ("groups", groups), ("encoders", encoders), ("credentials", credentials)):
        check(found, message=f"no {name}")
    closed = [one for one in groups if session.codes["door"] not in doors_of(session, one.acs_access_group_id)]
    check(closed, message="every group lets pass the door")
    session.codes |= {"group": closed[0].acs_access_group_id, "encoder": encoders[0].acs_encoder_id}
    return {"users": len(users), "groups": len(groups), "credentials": len(credentials)}


@step("a user of the name, in the group, and nothing pending", STEPS)
def create_user(session: Session) -> object:
    """Make a user in a group."""
    acs = session.seam.acs
    made = acs.users.create(
        acs_system_id=session.codes["system"],
        full_name=NAME,
        email_address="dora@example.com",
        acs_access_group_ids=[session.codes["group"]],
    )
    session.codes["user"] = made.acs_user_id
    eventually(lambda: user(session).pending_mutations == [], "something is still pending")
    members = {one.acs_user_id for one in acs.access_groups.list_users(acs_access_group_id=session.codes["group"])}
    check(made.acs_user_id in members, message="not in the group")
    check(user(session).email_address == "dora@example.com", message="another address")
    return made.full_name


@step("the new name; suspended and not; in the group no more, and in it again", STEPS)
def edit_user(session: Session) -> object:
    """Change the user."""
    acs, one = session.seam.acs, {"acs_user_id": session.codes["user"]}
    acs.users.update(**one, full_name=f"{NAME} II")
    eventually(lambda: user(session).full_name == f"{NAME} II", "the name did not change")
    acs.users.suspend(**one)
    eventually(lambda: user(session).is_suspended is True, "not suspended")
    acs.users.unsuspend(**one)
    eventually(lambda: user(session).is_suspended is False, "still suspended")
    membership = {**one, "acs_access_group_id": session.codes["group"]}
    acs.users.remove_from_access_group(**membership)
    check(acs.access_groups.list(**one) == [], message="still in the group")
    acs.users.add_to_access_group(**membership)
    check(len(acs.access_groups.list(**one)) == 1, message="not in the group again")
    return user(session).display_name


@step("400 no_access_to_entrance; after the grant the door is among theirs", STEPS)
def grant_access(session: Session) -> object:
    """Make a cloud key, which opens only what its user may pass."""
    acs, door = session.seam.acs, {"acs_entrance_id": session.codes["door"]}
    key = acs.credentials.create(access_method="cloud_key", acs_user_id=session.codes["user"])
    session.codes["key"] = key.acs_credential_id
    refused(
        lambda: acs.entrances.unlock(**door, acs_credential_id=key.acs_credential_id),
        session.sdk.SeamHttpApiError,
        400,
        "no_access_to_entrance",
    )
    acs.entrances.grant_access(**door, acs_user_id=session.codes["user"])

    def may_pass() -> bool:
        found = acs.users.list_accessible_entrances(acs_user_id=session.codes["user"])
        return session.codes["door"] in {one.acs_entrance_id for one in found}

    eventually(may_pass, "the door is not among theirs")
    holders = acs.entrances.list_credentials_with_access(**door)
    check(key.acs_credential_id in {one.acs_credential_id for one in holders}, message="the key is not among them")
    return key.access_method


@step("the attempt succeeds; a door that is not wired is refused with not_supported", STEPS)
def unlock(session: Session) -> object:
    """Open the door with the cloud key."""
    acs, key = session.seam.acs, {"acs_credential_id": session.codes["key"]}
    attempt = acs.entrances.unlock(**key, acs_entrance_id=session.codes["door"])
    check((attempt.status, attempt.action_type) == ("success", "UNLOCK_DOOR"), message=f"{attempt.status}")
    acs.entrances.grant_access(acs_entrance_id=session.codes["standalone"], acs_user_id=session.codes["user"])
    error = refused(
        lambda: acs.entrances.unlock(**key, acs_entrance_id=session.codes["standalone"]),
        session.sdk.SeamHttpApiError,
        400,
        "not_supported",
    )
    return str(error)


@step("the attempt succeeds, and the card is issued with its number", STEPS)
def encode(session: Session) -> object:
    """Make a card, and write it at the encoder."""
    acs = session.seam.acs
    card = acs.credentials.create(
        access_method="card",
        acs_user_id=session.codes["user"],
        salto_space_metadata={"assign_new_key": True},
    )
    check(card.is_issued is False, message="issued before it was written")
    written = {"acs_credential_id": card.acs_credential_id, "acs_encoder_id": session.codes["encoder"]}
    attempt = acs.encoders.encode_credential(**written)
    check((attempt.status, attempt.action_type) == ("success", "ENCODE_CREDENTIAL"), message=f"{attempt.status}")
    found = acs.credentials.get(acs_credential_id=card.acs_credential_id)
    check(found.is_issued is True, message="not issued")
    check(found.card_number, message="without its number")
    session.codes["card"] = card.acs_credential_id
    return found.display_name


@step("acs_user.created and acs_credential.issued of these, and the opening of the door succeeded", STEPS)
def list_events(session: Session) -> object:
    """Find what happened by the ids of the system's parts."""
    of_user = events(session, acs_user_id=session.codes["user"])
    check("acs_user.created" in of_user, message=f"of the user {of_user}")
    of_card = events(session, acs_credential_id=session.codes["card"])
    check(of_card == ["acs_credential.issued"], message=f"of the card {of_card}")
    of_door = events(session, acs_entrance_id=session.codes["door"])
    check("action_attempt.unlock_door.succeeded" in of_door, message=f"of the door {of_door}")
    return of_user


@step("409 for a card that opens doors, and 400 for what is not public of SHIP", STEPS)
def impossible(session: Session) -> object:
    """Ask for what no hub can do."""
    acs, errors = session.seam.acs, session.sdk
    card = {"acs_credential_id": session.codes["card"]}
    refused(lambda: acs.credentials.delete(**card), errors.SeamHttpApiError, 409, "credential_issued")
    for method in ("code", "mobile_key"):
        make = partial(acs.credentials.create, access_method=method, acs_user_id=session.codes["user"])
        refused(make, errors.SeamHttpApiError, 400, "not_supported")
    scan = {"acs_encoder_id": session.codes["encoder"]}
    return str(refused(lambda: acs.encoders.scan_credential(**scan), errors.SeamHttpApiError, 400, "not_supported"))


@step("the user is gone: 404 acs_user_not_found; so is a stranger", STEPS)
def delete_user(session: Session) -> object:
    """Delete the user."""
    acs, errors = session.seam.acs, session.sdk
    acs.users.delete(acs_user_id=session.codes["user"])

    def is_gone() -> bool:
        return session.codes["user"] not in {one.acs_user_id for one in acs.users.list()}

    eventually(is_gone, "the user is still there")
    for user_id in (session.codes["user"], str(uuid.uuid4())):
        get = partial(acs.users.get, acs_user_id=user_id)
        refused(get, errors.SeamHttpApiError, 404, "acs_user_not_found")
    return "gone"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], STEPS))
