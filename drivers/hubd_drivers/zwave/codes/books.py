"""The codes of one lock through zwave-js: two command classes, one face.

User Code CC goes through zwave-js's API of that class, not through its unified access control. That one (15.29) takes a
lock that is silent for an empty slot, believes a supervised "success" without looking, reads back before the lock has
had time to store, and keeps a disabled slot disabled. User Credential CC goes through the unified API, which has none
of these faults there.
"""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final, Protocol

from hubd_drivers.zwave.codes.held import (
    DISABLED,
    ENABLED,
    LAST_SLOT,
    Held,
    of_credential,
    of_credentials,
    of_user_code,
    of_values,
)
from hubd_drivers.zwave.codes.keypads import Keypad
from hubd_drivers.zwave.codes.users import free_user
from hubd_drivers.zwave.facts import USER_CODE, integer, items, mapping
from hubd_drivers.zwave.failures import CommandError, Kind
from hubd_drivers.zwave.link import Link

PIN: Final = 1
"""`UserCredentialType`."""
_SUPERVISED: Final = 255
_FAIL: Final = 2

_OK, _OCCUPIED, _EMPTY, _DUPLICATE, _RULES, _DUPLICATE_ADMIN, _WRONG_USER = range(7)
"""`SetCredentialResult`."""
_UNKNOWN: Final = 255
"""Likewise; it is also what silence gives."""
_STALE: Final = frozenset({_OCCUPIED, _EMPTY, _WRONG_USER})
"""The lock holds something else than zwave-js believed; it has told, so that a second try is right."""


class Word(Enum):
    """What a lock said to a change."""

    STORED = auto()
    NOTHING = auto()
    """It may have done it."""
    REFUSED = auto()
    DUPLICATE = auto()
    RULES = auto()
    """Refused for its maker's rules."""


class Book(Protocol):
    """All raise `CommandError`."""

    async def put(self, slot: int, pin: str) -> Word:
        """Write a PIN, over whatever is there."""
        ...

    async def empty(self, slot: int) -> Word:
        """Empty a slot."""
        ...

    async def read(self, slot: int) -> Held | None:
        """Ask the lock itself; None if it does not answer."""
        ...

    async def cached(self) -> dict[int, Held]:
        """Return what zwave-js knows, without asking the lock."""
        ...


class UserCodes:
    """Codes by User Code CC, in both its versions."""

    def __init__(self, link: Link, node_id: int) -> None:
        self._link = link
        self._node_id = node_id

    async def put(self, slot: int, pin: str) -> Word:
        """See `Book.put`."""
        return word_of(await self._api("set", slot, ENABLED, pin))

    async def hide(self, slot: int, pin: str) -> Word:
        """Write a PIN that does not open."""
        return word_of(await self._api("set", slot, DISABLED, pin))

    async def empty(self, slot: int) -> Word:
        """See `Book.empty`. Slot 0 would be all slots."""
        return word_of(await self._api("clear", max(1, slot)))

    async def read(self, slot: int) -> Held | None:
        """See `Book.read`."""
        answer = await self._api("get", slot)
        return of_user_code(answer.get("userIdStatus"), answer.get("userCode"))

    async def cached(self) -> dict[int, Held]:
        """See `Book.cached`."""
        answer = await self._link.command("node.get_state", nodeId=self._node_id)
        return of_values(items(mapping(answer.get("state")).get("values")))

    async def _api(self, method: str, *arguments: object) -> Mapping[str, object]:
        answer = await self._link.command(
            "endpoint.invoke_cc_api",
            nodeId=self._node_id,
            endpoint=0,
            commandClass=USER_CODE,
            methodName=method,
            args=list(arguments),
        )
        return mapping(answer.get("response"))


def word_of(result: Mapping[str, object]) -> Word:
    """Read a `SupervisionResult`; without Supervision there is none."""
    status = integer(result.get("status"), high=0xFF)
    return {_SUPERVISED: Word.STORED, _FAIL: Word.REFUSED}.get(-1 if status is None else status, Word.NOTHING)


class Credentials:
    """PINs by User Credential CC. A PIN in slot 5 is that of user 5, unless slot or user is somebody else's."""

    def __init__(self, link: Link, node_id: int) -> None:
        self._link = link
        self._node_id = node_id

    async def put(self, slot: int, pin: str) -> Word:
        """See `Book.put`. A user without whom the lock takes no PIN is made first."""
        held = of_credential((await self._ask("get_credential_cached", **_at(slot))).get("credential"))
        result = await self._write(slot, pin, held.owner)
        if result in _STALE:
            now = await self.read(slot)
            result = await self._write(slot, pin, 0 if now is None else now.owner, is_sure=True)
        if result in {_DUPLICATE, _DUPLICATE_ADMIN}:
            return Word.DUPLICATE
        if result in _STALE:
            return Word.REFUSED
        return {_OK: Word.STORED, _RULES: Word.RULES}.get(result, Word.NOTHING)

    async def empty(self, slot: int) -> Word:
        """See `Book.empty`. The user stays: other credentials may be theirs."""
        held = of_credential((await self._ask("get_credential_cached", **_at(slot))).get("credential"))
        if not held.is_used:
            now = await self.read(slot)
            if now is None:
                return Word.NOTHING
            if not now.is_used:
                return Word.STORED
            held = now
        answer = await self._ask("delete_credential", userId=held.owner, **_at(slot))
        return Word.STORED if answer.get("result") == _OK else Word.NOTHING

    async def read(self, slot: int) -> Held | None:
        """See `Book.read`."""
        credential = (await self._ask("get_credential", **_at(slot))).get("credential")
        if credential is None:
            return None
        held = of_credential(credential)
        return of_credential(credential, is_active=await self._is_active(held.owner) is not False)

    async def cached(self) -> dict[int, Held]:
        """See `Book.cached`."""
        users = items((await self._ask("get_users_cached")).get("users"))
        inactive = {
            integer(user.get("userId")) or 0: user.get("active") is False for user in (mapping(one) for one in users)
        }
        credentials = items((await self._ask("get_all_credentials_cached")).get("credentials"))
        return of_credentials(credentials, PIN, inactive)

    async def _write(self, slot: int, pin: str, owner: int, *, is_sure: bool = False) -> int:
        """Write the PIN for its owner; returns the `SetCredentialResult`. `is_sure`: make the user in any case."""
        user = owner or await self._free_user(slot)
        is_active = await self._is_active(user)
        if is_active is not True or (is_sure and not owner):
            is_taken = await self._let_in(user) == _OCCUPIED
            if is_taken and not owner:  # by somebody of whom zwave-js did not know
                user = await self._free_user(slot, taken=user)
                await self._let_in(user)
        answer = await self._ask("set_credential", userId=user, **_at(slot), data=pin)
        result = integer(answer.get("result"), high=0xFF)
        return _UNKNOWN if result is None else result

    async def _let_in(self, user: int) -> int | None:
        """Make a user, or have one who is there open the lock; returns the `SetUserResult`."""
        return integer((await self._ask("set_user", userId=user, options={"active": True})).get("result"), high=0xFF)

    async def _free_user(self, slot: int, taken: int = 0) -> int:
        """Return a user for a slot that is nobody's, without asking the lock. Raises `CommandError` if none is left."""
        limits = mapping((await self._ask("get_user_capabilities_cached")).get("capabilities"))
        users = items((await self._ask("get_users_cached")).get("users"))
        credentials = items((await self._ask("get_all_credentials_cached")).get("credentials"))
        user = free_user(slot, integer(limits.get("maxUsers"), 1, LAST_SLOT) or slot, users, credentials, taken)
        if user is None:
            message = "Every user of the lock is somebody's, and a code needs one of its own."
            raise CommandError(Kind.REFUSED, "no_space", message)
        return user

    async def _is_active(self, user: int) -> bool | None:
        """Tell whether a user may enter, as zwave-js knows; None for one that it does not know."""
        if not user:
            return None
        known = mapping((await self._ask("get_user_cached", userId=user)).get("user"))
        return known.get("active") is True if known else None

    async def _ask(self, name: str, **arguments: object) -> Mapping[str, object]:
        return await self._link.command(
            f"endpoint.access_control.{name}", nodeId=self._node_id, endpoint=0, **arguments
        )


def _at(slot: int) -> dict[str, object]:
    return {"credentialType": PIN, "credentialSlot": slot}


def open_book(link: Link, node_id: int, keypad: Keypad) -> Book:
    """Return the codes of a lock."""
    return Credentials(link, node_id) if keypad.has_credentials else UserCodes(link, node_id)
