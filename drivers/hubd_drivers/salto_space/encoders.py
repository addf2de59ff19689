"""Writing a person's key onto the card that somebody presents at an encoder.

What an encoder's reply carries is not public, so a key counts as written when the person's record, read again, has it.
"""

import asyncio
from typing import Final

from hubd.driver import Clock
from hubd.model import (
    EncodeCredential,
    Outcome,
    OutcomeKind,
    ReachabilitySeen,
    rejected,
    sent_unconfirmed,
    unreachable,
)
from hubd_drivers.salto_space import mapping
from hubd_drivers.salto_space.client import SpaceClient
from hubd_drivers.salto_space.config import SaltoSpaceConfig
from hubd_drivers.salto_space.doors import not_answered, refused
from hubd_drivers.salto_space.failures import driver_error
from hubd_drivers.salto_space.faults import Fault, FaultKind
from hubd_drivers.salto_space.fields import KeyStatus
from hubd_drivers.salto_space.messages import SpaceUser
from hubd_drivers.salto_space.people import People
from hubd_drivers.salto_space.transport import LinkError

BUSY_PAUSES: Final = (1.0, 2.0, 3.0, 5.0)
"""Seconds until an encoder that is at work is asked again; the last one from then on."""

_CODES: Final = {
    FaultKind.ENCODER_NO_CARD: "no_credential_on_encoder",
    FaultKind.ENCODER_BUSY: "encoder_busy",
    FaultKind.ENCODER_UNKNOWN: "encoder_not_online",
    FaultKind.ENCODER_UNREACHABLE: "encoder_not_online",
    FaultKind.ENCODER_NOT_READY: "encoder_not_online",
    FaultKind.CARD: "incompatible_card_format",
}
_REISSUE: Final = frozenset({300, 301, 305})
"""The user has no key to update, no more keys can be issued, the user has one already."""


class Encoders:
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

    async def encode(self, command: EncodeCredential) -> Outcome:
        """Have a card written; waits for it as long as the config says."""
        name = mapping.encoder_name(command.native_id)
        if name not in self._config.encoders or name is None:
            return rejected("device_unknown", "This encoder is not among the encoders of the driver's table.")
        try:
            before = await self._user(command.user)
        except LinkError as error:
            found = driver_error(error, self._config.target)
            return unreachable(found.code, found.message, {"hop": found.hop})
        except Fault as fault:
            return refused(fault)
        if before is None:
            return rejected("user_not_found", "Space has no such user, or no longer.")
        return await self._at(name, command, before)

    async def _at(self, name: str, command: EncodeCredential, before: SpaceUser) -> Outcome:
        lost: LinkError | None = None
        try:
            await self._write(name, command)
        except Fault as fault:
            return _refused(fault, name, command)
        except LinkError as error:
            if not error.sent:
                return not_answered(error, self._config.target, "")
            lost = error
        return await self._read_back(name, command, before, lost)

    async def _write(self, name: str, command: EncodeCredential) -> None:
        """Send, and wait while somebody else's card is on the encoder. Raises `Fault`, `LinkError`."""
        until = self._clock.monotonic() + self._config.encode_seconds
        send = self._client.assign_key if command.is_new_key else self._client.update_key
        tries = 0
        while True:
            try:
                await send(command.user, name)
            except Fault as fault:
                pause = BUSY_PAUSES[min(tries, len(BUSY_PAUSES) - 1)]
                if fault.kind is not FaultKind.ENCODER_BUSY or self._clock.monotonic() + pause >= until:
                    raise
                tries += 1
                await self._clock.sleep(pause)
            else:
                return

    async def _read_back(
        self, name: str, command: EncodeCredential, before: SpaceUser, lost: LinkError | None
    ) -> Outcome:
        words = f"Whether the encoder {name} wrote the card is not known"
        try:
            async with self._writing:
                after = await self._user(command.user)
                held = None if after is None else mapping.user(after)
                if held is not None:
                    self._people.users.changed(held.native_id, held)
        except LinkError as error:
            return not_answered(LinkError(error.stage, error.cause, sent=True), self._config.target, words)
        except Fault as fault:
            return sent_unconfirmed(f"{words}: {fault.sentence}")
        if after is None or held is None:
            return sent_unconfirmed(f"{words}: the user is not in Space any more.")
        if not _has_key(before, after, command, is_sure=lost is None):
            if lost is not None:
                return not_answered(lost, self._config.target, words)
            return sent_unconfirmed(f"{words}: Space took the order, and its record of the user shows no key.")
        seen = (ReachabilitySeen(native_id=command.native_id, online=True),)
        return Outcome(OutcomeKind.DONE, "done", f"The card was written at {name}.", seen=seen, noted=(held,))

    async def _user(self, user: str) -> SpaceUser | None:
        found = await self._people.find_user(self._client, user)
        return None if found is None else found[0]


def _has_key(before: SpaceUser, after: SpaceUser, command: EncodeCredential, *, is_sure: bool) -> bool:
    """Tell whether the user's record shows that the card was written; `is_sure`: Space has said so."""
    if not after.has_key:
        return False
    if is_sure:
        return True
    if command.is_new_key:
        return not before.has_key or before.card_serial != after.card_serial
    return before.key_status is not KeyStatus.CURRENT and after.key_status is KeyStatus.CURRENT


def _refused(fault: Fault, name: str, command: EncodeCredential) -> Outcome:
    code = "credential_cannot_be_reissued" if fault.code in _REISSUE else _CODES.get(fault.kind, fault.name)
    said = f" Space says: {fault.message.rstrip('.')}." if fault.message else ""
    message = f"{name}: {fault.sentence}{said} {fault.remedy}".strip()
    seen: tuple[ReachabilitySeen, ...] = ()
    if code == "encoder_not_online":
        seen = (ReachabilitySeen(native_id=command.native_id, online=False, reason=f"{fault.sentence} {fault.remedy}"),)
    elif fault.kind in {FaultKind.ENCODER_NO_CARD, FaultKind.CARD}:
        seen = (ReachabilitySeen(native_id=command.native_id, online=True),)
    return rejected(code, message, {"space_error": fault.code, "encoder": name}, seen=seen)
