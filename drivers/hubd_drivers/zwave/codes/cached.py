"""What zwave-js knows of a lock's codes when the lock is announced; nothing is sent to it."""

from typing import NamedTuple

from hubd.driver import Secrets
from hubd.model import CodeSeen
from hubd_drivers.zwave.codes.books import open_book
from hubd_drivers.zwave.codes.exchange import seen_of
from hubd_drivers.zwave.codes.held import EMPTY
from hubd_drivers.zwave.codes.keypads import Keypad
from hubd_drivers.zwave.failures import CommandError
from hubd_drivers.zwave.link import Link


class Cached(NamedTuple):
    """Slots, and the keypad as they show it to be."""

    keypad: Keypad
    seen: tuple[CodeSeen, ...] = ()


async def cached_codes(link: Link, secrets: Secrets, node_id: int, native_id: str, keypad: Keypad) -> Cached:
    """Return every slot of which zwave-js knows something. PINs leave this function sealed only.

    A slot of a User Code lock that was never read is left out: it may be used. Of credentials zwave-js keeps only those
    that there are, so the other slots are empty.
    """
    try:
        known = await open_book(link, node_id, keypad).cached()
    except CommandError:
        return Cached(keypad)
    if keypad.has_credentials:
        known = {slot: known.get(slot, EMPTY) for slot in range(1, keypad.capability.slots + 1)}
    mine = {slot: held for slot, held in sorted(known.items()) if keypad.takes(slot)}
    if any(held.is_masked for held in mine.values()):
        keypad = keypad.masked()
    tells = keypad.capability.tells_pins
    seen = (seen_of(held, native_id, slot, secrets, tells_pins=tells, is_cached=True) for slot, held in mine.items())
    return Cached(keypad, tuple(seen))
