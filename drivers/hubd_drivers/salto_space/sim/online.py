"""OnlineDoor requests: how doors stand, and commands to them.

An empty list in a status request means every online door; that it means the same in a command is a reading that a
driver must expect, and one that no driver may ever try. Which `ErrorCode` an offline door gets is not public.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from hubd_drivers.salto_space.document import Element
from hubd_drivers.salto_space.sim.lists import only
from hubd_drivers.salto_space.sim.locks import DoorState, Lock, Status, Wiring
from hubd_drivers.salto_space.sim.quirks import Quirks
from hubd_drivers.salto_space.sim.records import Record
from hubd_drivers.salto_space.sim.replies import MESSAGES, RefusalError, fragment, leaf, node
from hubd_drivers.salto_space.sim.state import SOFTWARE_SUBJECT, Disaster, Opened, Site
from hubd_drivers.salto_space.sim.trail import Operation

OPEN: Final = "OnlineDoor.Open"
COMMANDS: Final[Mapping[str, Operation | None]] = {
    OPEN: Operation.OPENED_ONLINE,
    "OnlineDoor.Close": None,
    "OnlineDoor.EmergencyOpen": Operation.FORCED_OPEN_BEGUN,
    "OnlineDoor.EmergencyClose": Operation.FORCED_CLOSE_BEGUN,
    "OnlineDoor.EndOfEmergency": None,
    "OnlineDoor.StartOfficeMode": Operation.OFFICE_BEGUN_ONLINE,
    "OnlineDoor.EndOfficeMode": Operation.OFFICE_ENDED_ONLINE,
}
"""With what the trail says of each; the end of an emergency has two operations, and of Close none is known."""
_LISTS: Final = {"ExtDoorIDList": "ExtDoorID", "DoorNameList": "DoorID"}
_PROCESS_ERROR: Final = 404


class _Asked(NamedTuple):
    """One door of a request, by the word that was used for it."""

    word: str
    place: Record | None


def _asked(site: Site, quirks: Quirks, params: Element) -> tuple[list[_Asked], bool]:
    """Return the doors of a request, and whether it names any. Raises `RefusalError` 7 when both lists are given."""
    only(params, _LISTS, quirks)
    given = [params.child(name) for name in _LISTS]
    by_id, by_name = given
    if by_id is not None and by_name is not None:
        raise RefusalError(7, "ExtDoorIDList and DoorNameList")
    chosen = by_id if by_id is not None else by_name
    if chosen is None or not (items := chosen.all(_LISTS[chosen.name])):
        online = [place for place in site.places() if site.locks[place.id].wiring is not Wiring.OFFLINE]
        return [_Asked(place.name if by_name is not None else place.id, place) for place in online], False
    words = [item.text.strip() for item in items]
    if by_id is not None:
        return [_Asked(word, site.place(word)) for word in words], True
    names = {place.name: place for place in site.places()}
    return [_Asked(word, names.get(word)) for word in words], True


def statuses(site: Site, quirks: Quirks, params: Element, *, is_ip: bool = False) -> list[bytes]:
    """Return the list of online statuses; that of the older form, `OnlineIPDoor`, has no `DoorType`."""
    kind = "OnlineIPDoorStatus" if is_ip else "OnlineDoorStatus"
    rows = []
    for word, place in _asked(site, quirks, params)[0]:
        if place is None and quirks.unknown_door == "error":
            raise RefusalError(100, word)
        if place is None and quirks.unknown_door == "missing":
            continue
        rows.append(node(kind, _status(word, _now(site, quirks, place), is_ip=is_ip)))
    return [fragment(node(f"{kind}List", rows), quirks.text)]


def _now(site: Site, quirks: Quirks, place: Record | None) -> Status:
    if place is None:
        return Status()
    return site.locks[place.id].status(
        site.now(), office_shows_open=quirks.office_shows_open, initializing=quirks.initializing
    )


def _status(word: str, status: Status, *, is_ip: bool) -> list[Element]:
    kind = [] if is_ip else [leaf("DoorType", status.type)]
    return [
        leaf("DoorID", word),
        *kind,
        leaf("CommStatus", status.communication),
        leaf("DoorStatus", status.door),
        leaf("BatteryStatus", status.battery),
        leaf("TamperStatus", status.tamper),
    ]


def command(site: Site, quirks: Quirks, name: str, params: Element) -> list[bytes]:
    """Do something to doors. One that names no door is counted as a disaster, whatever becomes of it."""
    asked, names_any = _asked(site, quirks, params)
    if not names_any:
        site.disasters.append(Disaster(name, site.now()))
        if quirks.empty_command_list == "refuse":
            raise RefusalError(12, "no door")
        if quirks.empty_command_list == "none":
            asked = []
    results = [_result(word, _done(site, quirks, name, place)) for word, place in asked]
    return [fragment(node("OnlineDoorActionResultList", results if quirks.action_results else ()), quirks.text)]


def _result(word: str, code: int) -> Element:
    message = MESSAGES.get(code, f"Error {code}") if code else ""
    children = (leaf("DoorID", word), leaf("ErrorCode", code), leaf("ErrorMessage", message))
    return node("OnlineDoorActionResult", children)


def _done(site: Site, quirks: Quirks, name: str, place: Record | None) -> int:
    """Do it to one door; returns its error code, 0 for done."""
    if place is None:
        return 100
    lock = site.locks[place.id]
    if not lock.is_online:
        return quirks.offline_command_error
    operation = COMMANDS[name]
    if name == "OnlineDoor.EndOfEmergency":
        operation = _end_of_emergency(lock)
    elif name == OPEN:
        if lock.emergency is DoorState.EMERGENCY_CLOSE:
            return _PROCESS_ERROR
        lock.unlock(site.now(), float(place["OpenTime"] or 0))
        site.opened.append(Opened(place.id, site.now()))
    else:
        _set(lock, name)
    if operation is not None:
        site.happens(operation, place.id, SOFTWARE_SUBJECT)
    return 0


def _end_of_emergency(lock: Lock) -> Operation | None:
    ended, lock.emergency = lock.emergency, None
    if ended is None:
        return None
    return Operation.FORCED_OPEN_ENDED if ended is DoorState.EMERGENCY_OPEN else Operation.FORCED_CLOSE_ENDED


def _set(lock: Lock, name: str) -> None:
    match name.removeprefix("OnlineDoor."):
        case "Close":
            lock.unlocked_until = None
        case "EmergencyOpen":
            lock.emergency = DoorState.EMERGENCY_OPEN
        case "EmergencyClose":
            lock.emergency = DoorState.EMERGENCY_CLOSE
        case "StartOfficeMode":
            lock.is_office = True
        case _:
            lock.is_office = False
