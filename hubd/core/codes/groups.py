"""Codes of several locks with one PIN: made, found again and changed together."""

from collections.abc import Sequence
from functools import reduce

from msgspec.structs import replace

from hubd.core.codes.pins import choose
from hubd.core.codes.wishes import Change, Wish, Wishes
from hubd.model import ids
from hubd.model.capability import KeypadCapability
from hubd.model.errors import InvalidInputError, NotFoundError, RefusedError
from hubd.store.codes import CodeRecord


def create(desk: Wishes, wishes: Sequence[Wish], *, may_differ: bool) -> list[CodeRecord]:
    """Make a code on each lock, or none at all. The wishes differ in their lock alone.

    All get one PIN, chosen by the caller or so that every lock takes it. With `may_differ` a lock that cannot take it
    gets one of its own. The same wishes again are the same codes, as long as all of them are there. Raises as
    `Wishes.create`, and `RefusedError` (`code_cannot_be_shared`).
    """
    known = _known(desk, wishes)
    if known is not None:
        return known
    if len({wish.device_id for wish in wishes}) < len(wishes):
        raise InvalidInputError("device_ids", "names a device twice")
    key, chosen = ids.new_id(), wishes[0].pin
    pin = chosen if chosen is not None else _shared(desk, wishes, may_differ=may_differ)
    made = []
    for wish in wishes:
        own = replace(wish, pin=pin, common_code_key=key)
        made.append(_make(desk, own, is_pin_chosen=chosen is not None, may_differ=may_differ))
    return made


def update(desk: Wishes, key: str, change: Change) -> list[CodeRecord]:
    """Change every code that has a key, or none. Raises as `Wishes.update`."""
    codes = desk.group(key)
    if not codes:
        message = "No access code on this hub has this common_code_key (any more)."
        raise NotFoundError("access_code_not_found", message, common_code_key=key)
    return [desk.update(code.code_id, change) for code in codes]


def _make(desk: Wishes, wish: Wish, *, is_pin_chosen: bool, may_differ: bool) -> CodeRecord:
    try:
        return desk.create(wish, is_pin_chosen=is_pin_chosen)
    except InvalidInputError as error:
        if error.field != "code":
            raise
        if not may_differ:
            name = desk.keypad(wish.device_id)[0].name
            raise InvalidInputError("code", f"“{name}” cannot have it: {error.reason}") from error
    except RefusedError as error:
        if error.code != "duplicate_access_code" or not may_differ:
            raise
    return desk.create(replace(wish, pin=None))


def _known(desk: Wishes, wishes: Sequence[Wish]) -> list[CodeRecord] | None:
    """Return the codes that the same wishes made before, in their order."""
    first = wishes[0]
    for candidate in desk.view.codes_of(first.device_id):
        if candidate.common_code_key is None or not _is_as_wished(desk, candidate, first):
            continue
        group = {code.device_id: code for code in desk.group(candidate.common_code_key)}
        if group.keys() == {wish.device_id for wish in wishes} and all(
            _is_as_wished(desk, group[wish.device_id], wish) for wish in wishes
        ):
            return [group[wish.device_id] for wish in wishes]
    return None


def _is_as_wished(desk: Wishes, code: CodeRecord, wish: Wish) -> bool:
    if code.deleted_at is not None or not code.is_managed:
        return False
    wished = (wish.name, wish.starts_at, wish.ends_at, wish.is_external_modification_allowed, wish.prefers_native)
    has = (code.name, code.starts_at, code.ends_at, code.is_external_modification_allowed, code.prefers_native)
    if has != wished:
        return False
    # A lock may have got a PIN of its own in place of the chosen one.
    return not code.is_pin_chosen if wish.pin is None else not code.is_pin_chosen or desk.has_pin(code, wish.pin)


def _shared(desk: Wishes, wishes: Sequence[Wish], *, may_differ: bool) -> str | None:
    """Choose a PIN that every lock takes; None if there is none and each may have its own."""
    keypads = [desk.keypad(wish.device_id)[1] for wish in wishes]
    taken = [desk.taken(wish.device_id) for wish in wishes]
    try:
        return choose(
            reduce(_both, keypads),
            lambda pin: any(one.has(pin) for one in taken),
            wishes[0].preferred_length,
            prefix_taken=lambda digits: any(one.has_prefix(digits) for one in taken),
        )
    except RefusedError:
        if may_differ:
            return None
        message = (
            "No PIN fits all of these locks: their lengths and rules leave none, or all are in use. Make the codes one"
            " by one, or let behavior_when_code_cannot_be_shared be create_random_code."
        )
        raise RefusedError("code_cannot_be_shared", message) from None


def _both(one: KeypadCapability, other: KeypadCapability) -> KeypadCapability:
    """Return a keypad that takes only what both of two take."""
    lengths = tuple(size for size in one.code_lengths if size in other.code_lengths)
    rules = tuple(dict.fromkeys((*one.rules, *other.rules)))
    # Without a common length the bounds must leave none either.
    return KeypadCapability(slots=1, lengths=lengths, rules=rules, min_length=1, max_length=0)
