"""Reading what became of codes: their own history, which outlives the journal and the codes. PINs are not in it."""

from collections.abc import Collection, Iterable
from datetime import datetime

import msgspec

from hubd.core.codes.story import CodeEvent
from hubd.model.event import CodeCreated, CodeEdited, CodeGone
from hubd.store.journal import Journal
from hubd.store.records import moment

_OF_CODE = "SELECT code_id, device_id, at, body FROM code_history WHERE code_id = ? ORDER BY at DESC, id DESC LIMIT ?"
_OF_DEVICE = (
    "SELECT code_id, device_id, at, body FROM code_history WHERE device_id = ? ORDER BY at DESC, id DESC LIMIT ?"
)
_GONE = (
    "SELECT code_id, device_id, at, body FROM code_history WHERE device_id = ? AND type = 'code.gone'"
    " ORDER BY at DESC, id DESC LIMIT ?"
)
_LAST = (
    "SELECT code_id, device_id, at, body FROM (SELECT id, code_id, device_id, at, body,"
    " ROW_NUMBER() OVER (PARTITION BY code_id ORDER BY at DESC, id DESC) AS place"
    " FROM code_history WHERE code_id IN ({marks})) WHERE place <= ? ORDER BY at DESC, id DESC"
)
_NAMED = (
    "SELECT code_id, body FROM code_history WHERE type IN ('code.created', 'code.edited') AND code_id IN ({marks})"
    " ORDER BY at, id"
)
MAX_CODES = 500
"""For how many codes at most one reading is."""

_decode = msgspec.json.Decoder(CodeEvent).decode


class Told(msgspec.Struct, frozen=True):
    """One line of a code's history."""

    code_id: str
    device_id: str
    at: datetime
    event: CodeEvent


async def of_code(journal: Journal, code_id: str, limit: int) -> list[Told]:
    """Return what became of one code, newest first. Raises `StoreError`."""
    return _rows(await journal.database.read(_OF_CODE, (code_id, limit)))


async def of_device(journal: Journal, device_id: str, limit: int) -> list[Told]:
    """Return what became of the codes of a device, newest first, those that are gone too. Raises `StoreError`."""
    return _rows(await journal.database.read(_OF_DEVICE, (device_id, limit)))


async def gone(journal: Journal, device_id: str, limit: int) -> list[Told]:
    """Return the ends of codes of a device (`CodeGone`), newest first. Raises `StoreError`."""
    found = _rows(await journal.database.read(_GONE, (device_id, limit)))
    return [told for told in found if isinstance(told.event, CodeGone)]


async def last(journal: Journal, code_ids: Collection[str], limit: int) -> dict[str, list[Told]]:
    """Return the last lines of each of up to `MAX_CODES` codes, newest first. Raises `StoreError`."""
    chosen = list(code_ids)[:MAX_CODES]
    found: dict[str, list[Told]] = {code_id: [] for code_id in chosen}
    if chosen:
        for told in _rows(await journal.database.read(_LAST.format(marks=_marks(chosen)), (*chosen, limit))):
            found[told.code_id].append(told)
    return found


async def names(journal: Journal, code_ids: Collection[str]) -> dict[str, str]:
    """Return how up to `MAX_CODES` codes were called last, also those that are gone. Raises `StoreError`."""
    chosen = list(code_ids)[:MAX_CODES]
    found: dict[str, str] = {}
    if chosen:
        for code_id, body in await journal.database.read(_NAMED.format(marks=_marks(chosen)), chosen):
            for name in _names_in(_decode(body)):
                found[code_id] = name
    return {code_id: name for code_id, name in found.items() if name}


def _names_in(event: CodeEvent) -> Iterable[str]:
    match event:
        case CodeCreated(name=name):
            return [name or ""]
        case CodeEdited(edits=edits):
            return [edit.after or "" for edit in edits if edit.property == "name"]
        case _:
            return []


def _rows(found: Iterable[tuple[str, str, int, bytes]]) -> list[Told]:
    return [Told(code_id, device_id, moment(at), _decode(body)) for code_id, device_id, at, body in found]


def _marks(chosen: Collection[str]) -> str:
    return ", ".join("?" * len(chosen))
