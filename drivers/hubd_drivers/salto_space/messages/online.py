"""Online doors: how they stand, and orders to them.

An order with an empty list may mean every door of the site. So an order is made for one door or more, by ids alone, and
nothing in this module makes another.
"""

from collections.abc import Collection
from enum import StrEnum

import msgspec

from hubd_drivers.salto_space.document import Element
from hubd_drivers.salto_space.faults import Fault
from hubd_drivers.salto_space.fields import (
    BatteryState,
    CommState,
    DoorState,
    DoorType,
    TamperState,
    door_state,
    identifier,
    member,
    number,
)
from hubd_drivers.salto_space.messages.envelope import Effect, Page, Request, call, id_list, read_page, texts

_IDS = "ExtDoorIDList"
_ID = "ExtDoorID"
_NO_SUCH_FIELD = -1


class DoorOrder(StrEnum):
    """What online doors can be told, by the name of the request."""

    OPEN = "OnlineDoor.Open"
    """Unlocks for the opening time of the door."""
    CLOSE = "OnlineDoor.Close"
    EMERGENCY_OPEN = "OnlineDoor.EmergencyOpen"
    EMERGENCY_CLOSE = "OnlineDoor.EmergencyClose"
    END_OF_EMERGENCY = "OnlineDoor.EndOfEmergency"
    START_OFFICE_MODE = "OnlineDoor.StartOfficeMode"
    END_OFFICE_MODE = "OnlineDoor.EndOfficeMode"


class OnlineStatus(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How one door stands. Each `…_number` is what the server sent, also if it is none of the known ones."""

    id: str
    type: DoorType | None = None
    comm: CommState | None = None
    door: DoorState | None = None
    battery: BatteryState | None = None
    tamper: TamperState | None = None
    type_number: int | None = None
    comm_number: int | None = None
    door_number: int | None = None
    battery_number: int | None = None
    tamper_number: int | None = None

    @property
    def is_offline(self) -> bool:
        """Whether it is a door that is not online at all: it answers with -1 in every field that there is."""
        numbers = (self.type_number, self.comm_number, self.door_number, self.battery_number, self.tamper_number)
        told = {one for one in numbers if one is not None}
        return told == {_NO_SUCH_FIELD}


class ActionResult(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What became of an order at one door. A door that is missing in the reply did not say that it obeyed."""

    id: str
    code: int | None = None
    """0: done. None is not known, and no success."""
    message: str = ""

    def fault(self, request: str) -> Fault | None:
        """Return what went wrong, None for success; a code that cannot be read is something wrong."""
        return None if self.code == 0 else Fault(-1 if self.code is None else self.code, request, self.message)


def list_statuses(ids: Collection[str] = (), *, of_ip_doors: bool = False) -> Request:
    """Return the question how doors stand; without ids, all online doors. `of_ip_doors` is its older form."""
    name = "OnlineIPDoor.GetOnlineStatusList" if of_ip_doors else "OnlineDoor.GetOnlineStatusList"
    return call(name, id_list(_IDS, _ID, ids))


def read_statuses(params: Element, *, of_ip_doors: bool = False) -> Page[OnlineStatus]:
    """Read the answer. It has no pages."""
    name = "OnlineIPDoorStatus" if of_ip_doors else "OnlineDoorStatus"
    return read_page(params, f"{name}List", name, _status)


def order_doors(order: DoorOrder, ids: Collection[str]) -> Request:
    """Return an order to these doors. ValueError for none, or for an empty id."""
    if not ids:
        raise ValueError("an order without a door may go to every door")
    return call(order, id_list(_IDS, _ID, ids), effect=Effect.MOVES)


def read_results(params: Element) -> Page[ActionResult]:
    """Read what became of an order. A reply without any list is one that says nothing of any door."""
    if params.child("OnlineDoorActionResultList") is None:
        return Page(records=())
    return read_page(params, "OnlineDoorActionResultList", "OnlineDoorActionResult", _result)


def _status(record: Element) -> OnlineStatus | None:
    get = texts(record).get
    found = identifier(get("DoorID", ""))
    if found is None:
        return None
    kind, comm, door = (number(get(name, "")) for name in ("DoorType", "CommStatus", "DoorStatus"))
    battery, tamper = (number(get(name, "")) for name in ("BatteryStatus", "TamperStatus"))
    return OnlineStatus(
        id=found,
        type=member(DoorType, kind),
        comm=member(CommState, comm),
        door=door_state(door),
        battery=member(BatteryState, battery),
        tamper=member(TamperState, tamper),
        type_number=kind,
        comm_number=comm,
        door_number=door,
        battery_number=battery,
        tamper_number=tamper,
    )


def _result(record: Element) -> ActionResult | None:
    found = identifier(record.value("DoorID"))
    if found is None:
        return None
    return ActionResult(id=found, code=number(record.value("ErrorCode")), message=record.value("ErrorMessage")[:1000])
