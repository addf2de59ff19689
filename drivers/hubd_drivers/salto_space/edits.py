"""Changes of people and access levels: read what is there, change what is asked, write the record whole, read it back.

One change at a time, under the lock under which pages are read and told. When an answer is lost, what is there is read
again and decides.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from hubd.driver import Clock
from hubd.model import (
    AcsGone,
    AcsUser,
    CreateUser,
    DeleteGroup,
    DeleteUser,
    EditUser,
    Outcome,
    PermitEntrance,
    RevokeAll,
    SetMembership,
    done,
    rejected,
)
from hubd.model.access import AccessChange
from hubd_drivers.salto_space import changes, mapping
from hubd_drivers.salto_space.changes import Changes
from hubd_drivers.salto_space.client import LOCKED_PAUSES, SpaceClient
from hubd_drivers.salto_space.config import SaltoSpaceConfig
from hubd_drivers.salto_space.document import DocumentError, Element
from hubd_drivers.salto_space.doors import not_answered, refused
from hubd_drivers.salto_space.faults import Fault, FaultKind
from hubd_drivers.salto_space.messages import USER_GROUPS, GroupLists, SpaceUser, edited
from hubd_drivers.salto_space.people import People
from hubd_drivers.salto_space.transport import LinkError

MOST_WRITES: Final = 3
"""How often a change is written whose answers are lost."""
_EXISTS: Final = frozenset({10, 202})
_PASSING: Final = frozenset({FaultKind.LOCKED, FaultKind.TEMPORARY})
_LOST: Final = "The change was sent, and no answer came"

type Make = Callable[[SpaceUser, Element], Awaitable[Changes]]
type Holds = Callable[[AcsUser], bool]
type Check = Callable[[SpaceUser], None]


class RefusedChange(Exception):  # noqa: N818 - it is an outcome on its way
    """The change cannot be made; the outcome says why."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.message)
        self.outcome = outcome


class Edits:
    """For one life of the link."""

    def __init__(
        self, client: SpaceClient, people: People, config: SaltoSpaceConfig, clock: Clock, writing: asyncio.Lock
    ) -> None:
        """`writing` is the lock under which records are read and told."""
        self._client = client
        self._people = people
        self._config = config
        self._clock = clock
        self._writing = writing

    async def make(self, change: AccessChange) -> Outcome:
        """Make one change and say how it ended.

        While somebody has the record open it is tried again, each time from the reading on: what they save stays.
        """
        for pause in LOCKED_PAUSES:
            try:
                return await self._try(change)
            except Fault as fault:
                if fault.kind is not FaultKind.LOCKED:
                    return refused(fault, is_temporary=fault.kind in _PASSING)
            await self._clock.sleep(pause)
        try:
            return await self._try(change)
        except Fault as fault:
            return refused(fault, is_temporary=fault.kind in _PASSING)

    async def _try(self, change: AccessChange) -> Outcome:
        """Make a change. Raises `Fault`."""
        async with self._writing:
            try:
                return await self._make(change)
            except RefusedChange as error:
                return error.outcome
            except LinkError as error:
                if isinstance(error.cause, DocumentError) and not error.sent:
                    return rejected("invalid_value", error.cause.message)
                return not_answered(error, self._config.target, _LOST)

    async def _make(self, change: AccessChange) -> Outcome:
        match change:
            case CreateUser():
                return await self._create(change)
            case EditUser():
                return await self._edit(change)
            case DeleteUser():
                return await self._delete_user(change.subject)
            case SetMembership():
                return await self._set_membership(change.subject, change.group, is_member=change.is_member)
            case PermitEntrance():
                return await self._permit(change)
            case RevokeAll():
                return await self._revoke(change.subject)
            case DeleteGroup():
                return await self._delete_group(change.subject)

    # -- users ---------------------------------------------------------------------------------------------------------

    async def _create(self, wish: CreateUser) -> Outcome:
        user = wish.user
        try:
            await self._client.insert_user(changes.new_user(user, self._config.zone))
        except Fault as fault:
            if fault.code not in _EXISTS:
                raise
            found = await self._read(user.native_id)
            if found is None or mapping.user(found[0]).full_name != " ".join(user.full_name.split()):
                raise
        found = await self._read(user.native_id)
        if found is None:
            return rejected(
                "change_not_taken", "Space took the new user, and does not show it.", {"is_temporary": True}
            )
        held = mapping.user(found[0])
        for group in sorted(set(user.groups) - set(held.groups)):
            await self._set_membership(user.native_id, group, is_member=True)
        return await self._told(user.native_id)

    async def _edit(self, wish: EditUser) -> Outcome:
        zone = self._config.zone

        async def make(space: SpaceUser, _: Element) -> Changes:
            return changes.user_changes(wish, space, zone)

        if await self._write_user(wish.subject, make, lambda held: changes.holds(wish, held, zone)):
            return await self._told(wish.subject)
        message = "Space took the change, and its record of the user is not as wished; it may have cut or set a value."
        return rejected("change_not_taken", message)

    async def _permit(self, wish: PermitEntrance) -> Outcome:
        door, now = mapping.ext_door_id(wish.entrance), self._clock.now()

        async def make(space: SpaceUser, record: Element) -> Changes:
            rights = record.child(changes.DOORS)
            if rights is None:
                raise _untold("the rights")
            return {changes.DOORS: changes.permitted(space.id, rights, door)}

        if await self._write_user(wish.subject, make, lambda held: changes.is_permitted(held, wish.entrance, now)):
            return await self._told(wish.subject)
        return rejected("change_not_taken", "Space took the change, and the user does not have the right to this door.")

    async def _revoke(self, user: str) -> Outcome:
        async def make(space: SpaceUser, record: Element) -> Changes:
            return changes.without_rights(record, space.groups)

        if not await self._write_user(user, make, lambda held: not changes.has_rights(held), _check_levels):
            found = await self._read(user)
            for group in () if found is None else found[0].groups or ():
                await self._take_out(group, user)
            found = await self._read(user)
            if found is not None and changes.has_rights(mapping.user(found[0])):
                message = "Space does not take rights away that were given: take them away in ProAccess Space."
                return rejected("rights_not_taken_away", message)
        return await self._told(user)

    async def _delete_user(self, user: str) -> Outcome:
        lost = await self._delete(self._client.delete_user, user)
        if await self._again(user, lost) is not None:
            if lost is not None:
                raise lost
            return rejected("change_not_taken", "Space took the deletion, and still has the user.")
        self._people.users.changed(user, None)
        return done("The user was deleted.", noted=(AcsGone(kind="user", native_id=user),))

    async def _told(self, user: str) -> Outcome:
        """Read a user a last time; what is there is what the hub is told."""
        found = await self._read(user)
        if found is None:
            raise RefusedChange(_gone())
        held = mapping.user(found[0])
        self._people.users.changed(user, held)
        return done("Space holds it.", noted=(held,))

    # -- memberships ---------------------------------------------------------------------------------------------------

    async def _set_membership(self, user: str, group: str, *, is_member: bool) -> Outcome:
        async def make(space: SpaceUser, record: Element) -> Changes:
            links = record.child(USER_GROUPS)
            if space.groups is None or links is None:
                raise _untold("the access levels")
            wanted = changes.member(user, links, group) if is_member else changes.no_member(links, group)
            if not wanted.children:
                await self._is_last(user, group)
            return {USER_GROUPS: wanted}

        def holds(held: AcsUser) -> bool:
            return (group in held.groups) is is_member

        if not await self._write_user(user, make, holds, _check_levels):
            if not is_member:
                await self._take_out(group, user)
            found = await self._read(user)
            if found is None or not holds(mapping.user(found[0])):
                word = "is still a member" if not is_member else "is no member"
                message = f"Space took the change, and the user {word} of the access level: make it in ProAccess Space."
                return rejected("membership_not_taken", message)
        return await self._told(user)

    async def _is_last(self, user: str, group: str) -> None:
        """Read a second time before a list is emptied: its one member must be the one that is to go."""
        again = await self._read(user)
        if again is None or again[0].groups is None or set(again[0].groups) - {group}:
            message = "The access levels of the user changed while they were edited."
            raise RefusedChange(rejected("record_changed", message, {"is_temporary": True}))

    async def _take_out(self, group: str, user: str) -> None:
        """Take a user out of an access level by the level's own list: for servers that only add to a user's."""
        try:
            found = await self._client.find_group(group, tuple(GroupLists))
            links = None if found is None else found[1].child(USER_GROUPS)
            if found is None or links is None or user not in (found[0].users or ()):
                return
            rest = changes.without_user(links, user)
            if not rest.children:
                again = await self._client.find_group(group, tuple(GroupLists))
                if again is None or again[0].users is None or set(again[0].users) != {user}:
                    return
            await self._client.update_group(edited(found[1], {USER_GROUPS: rest}))
        except Fault as fault:
            if fault.kind is not FaultKind.UNSUPPORTED:
                raise

    # -- access levels -------------------------------------------------------------------------------------------------

    async def _delete_group(self, group: str) -> Outcome:
        lost = await self._delete(self._client.delete_group, group)
        try:
            is_there = await self._client.find_group(group) is not None
        except Fault as fault:
            if fault.kind is not FaultKind.UNSUPPORTED:
                raise
            is_there = lost is not None  # it lists none; that it took the deletion is all there is to know
        except LinkError as error:
            raise error if lost is None else lost from error
        if is_there:
            if lost is not None:
                raise lost
            return rejected("change_not_taken", "Space took the deletion, and still has the access level.")
        self._people.groups.changed(group, None)
        return done("The access level was deleted.", noted=(AcsGone(kind="group", native_id=group),))

    # -- reading and writing -------------------------------------------------------------------------------------------

    async def _read(self, user: str) -> tuple[SpaceUser, Element] | None:
        return await self._people.find_user(self._client, user)

    async def _write_user(self, user: str, make: Make, holds: Holds, check: Check | None = None) -> bool:
        """Write a user's record until it holds a change; False when Space takes it and does not hold it.

        `check` raises where the record does not tell what `holds` looks at. Raises `LinkError`, `Fault`,
        `RefusedChange`.
        """
        lost: LinkError | None = None
        for _ in range(MOST_WRITES):
            found = await self._again(user, lost)
            if found is None:
                raise RefusedChange(_gone())
            space, record = found
            if check is not None:
                check(space)
            if holds(mapping.user(space)):
                return True
            try:
                await self._client.update_user(edited(record, await make(space, record)))
            except LinkError as error:
                if not error.sent:
                    raise error if lost is None else lost from error
                lost = error
                continue
            try:
                found = await self._read(user)
            except LinkError as error:
                raise LinkError(error.stage, error.cause, sent=True) from error
            return found is not None and holds(mapping.user(found[0]))
        found = await self._again(user, lost)
        if found is not None and holds(mapping.user(found[0])):
            return True
        if lost is None:
            return False
        raise lost

    async def _again(self, user: str, lost: LinkError | None) -> tuple[SpaceUser, Element] | None:
        """Read a user; if that fails after a write without answer, it is the write whose end is not known."""
        try:
            return await self._read(user)
        except LinkError as error:
            raise error if lost is None else lost from error

    async def _delete(self, delete: Callable[[str], Awaitable[None]], record_id: str) -> LinkError | None:
        """Delete; what is not there is deleted. Returns a lost answer, into which the caller looks."""
        try:
            await delete(record_id)
        except Fault as fault:
            if fault.kind is not FaultKind.NOT_FOUND:
                raise
        except LinkError as error:
            if not error.sent:
                raise
            return error
        return None


def _gone() -> Outcome:
    return rejected("user_not_found", "Space has no such user, or no longer.")


def _check_levels(space: SpaceUser) -> None:
    """Raise `RefusedChange` where it cannot be known which access levels a user has."""
    if space.groups is None:
        raise _untold("the access levels")


def _untold(what: str) -> RefusedChange:
    message = f"Space does not tell {what} that the user has, so they cannot be changed from here."
    return RefusedChange(rejected("memberships_not_told", message))
