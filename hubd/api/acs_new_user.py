"""`/acs/users/create`, and what is checked of a person before it is wished."""

import re
import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from hubd.api.acs_calls import first_refusal
from hubd.api.acs_lookup import check_same, instance_of, refuse_identity
from hubd.api.acs_people import People
from hubd.api.acs_shapes import AcsUserAnswer
from hubd.api.code_params import exact_time
from hubd.api.envelope import answer
from hubd.api.params import Params, Text, Uuid
from hubd.api.route import Call
from hubd.model.access import AccessChange, AcsUser, CreateUser, DeleteUser, SetMembership
from hubd.model.errors import InvalidInputError, NotFoundError
from hubd.store.access import EditRecord, UserRecord
from hubd.store.tables import View

MAX_NAME = 255

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+", re.ASCII)

type Email = Annotated[str, msgspec.Meta(max_length=254)]
type PhoneNumber = Annotated[str, msgspec.Meta(min_length=1, max_length=40, pattern=r"^[0-9+()/ .-]+$")]
type Groups = Annotated[tuple[Uuid, ...], msgspec.Meta(max_length=100)]


class NewSchedule(Params, frozen=True, kw_only=True):
    """From when until when; both need an offset. Without a start the old one stays, without an end there is none."""

    starts_at: Text | None = None
    ends_at: Text | None = None


class CreateAcsUser(Params, frozen=True, kw_only=True):
    """Whom to make. `email` is Seam's older name of `email_address`."""

    acs_system_id: Uuid
    full_name: Text
    access_schedule: NewSchedule | None = None
    acs_access_group_ids: Groups = ()
    email: Email | UnsetType = UNSET
    email_address: Email | UnsetType = UNSET
    phone_number: PhoneNumber | None = None
    user_identity_id: Uuid | None = None


async def create(call: Call, params: CreateAcsUser) -> AcsUserAnswer:
    """Make a user, held until the system has them; one that it refuses leaves nothing behind."""
    refuse_identity(params.user_identity_id)
    hub = call.hub
    instance = instance_of(hub, params.acs_system_id)
    native_id = secrets.token_hex(16).upper()
    user, user_id = _user(params, native_id), hub.access.notes.user_id(instance, native_id)
    changes: list[AccessChange] = [CreateUser(subject=native_id, user=user)]
    for group_id in dict.fromkeys(one.lower() for one in params.acs_access_group_ids):
        group = hub.access.group(group_id)
        check_same(instance, group.instance)
        changes.append(SetMembership(subject=native_id, group=group.group.native_id, is_member=True))
    email = email_of(params.email, params.email_address)

    def keep(view: View, edits: Sequence[EditRecord]) -> None:
        made = view.access(UserRecord, user_id)
        if call.keeper is not None and made is not None:
            body = AcsUserAnswer(acs_user=People(hub).user(made, edits))
            call.keeper.answer(view, answer(body).body)

    address = None if email is UNSET else email
    by = call.principal.key_id
    edits = await hub.access.wish(instance, changes, by, email_address=address, also=keep)
    refusal = first_refusal(await hub.access.settle(edits, call.hold_seconds))
    if refusal is not None:
        await _take_back(call, instance, native_id, user_id)
        raise refusal
    return AcsUserAnswer(acs_user=People(hub).user(hub.access.user(user_id)))


def _user(params: CreateAcsUser, native_id: str) -> AcsUser:
    starts_at, ends_at = (None, None) if params.access_schedule is None else frame(params.access_schedule, None)
    return AcsUser(
        native_id=native_id,
        full_name=full_name(params.full_name),
        phone_number=phone_of(params.phone_number),
        starts_at=starts_at,
        ends_at=ends_at,
    )


async def _take_back(call: Call, instance: str, native_id: str, user_id: str) -> None:
    """Leave nothing behind of somebody whom the system did not take, or not as was asked for."""
    hub, keeper = call.hub, call.keeper
    if keeper is not None:
        await hub.journal.transact(keeper.release)
    await hub.access.forget_user(user_id)
    if user_id in {one.id for one in hub.access.users()}:  # made, but not put into a group
        with suppress(NotFoundError):  # gone just now
            await hub.access.wish(instance, [DeleteUser(subject=native_id)], call.principal.key_id)


def full_name(name: str) -> str:
    """Return a name as it is wished. Raises `InvalidInputError`."""
    name = name.strip()
    if not name or len(name) > MAX_NAME or _CONTROL.search(name):
        raise InvalidInputError("full_name", f"must be 1 to {MAX_NAME} characters without line breaks")
    return name


def phone_of(number: str | None) -> str | None:
    """Return a telephone number as it is wished."""
    return number and number.strip()


def email_of(old: str | UnsetType, new: str | UnsetType) -> str | UnsetType:
    """Return Seam's older and newer word for one thing. Raises `InvalidInputError` if they differ, or are none."""
    for name, address in (("email", old), ("email_address", new)):
        if isinstance(address, str) and (not _EMAIL.fullmatch(address) or _CONTROL.search(address)):
            raise InvalidInputError(name, "is not an e-mail address")
    if old is not UNSET and new is not UNSET and old != new:
        raise InvalidInputError("email", "is another one than email_address")
    return old if new is UNSET else new


def frame(schedule: NewSchedule, starts_at: datetime | None) -> tuple[datetime | None, datetime | None]:
    """Return both times of a schedule. Raises `InvalidInputError`."""
    if schedule.starts_at is not None:
        starts_at = exact_time("access_schedule.starts_at", schedule.starts_at)
    ends_at = exact_time("access_schedule.ends_at", schedule.ends_at)
    if starts_at is not None and ends_at is not None and ends_at <= starts_at:
        raise InvalidInputError("access_schedule.ends_at", "must be after starts_at")
    return starts_at, ends_at
