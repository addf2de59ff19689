"""An access control system in memory, without a database: what is durable of it, and what is made of what it tells."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hubd.core.access.notes import Notes
from hubd.model import Capabilities, Device, DeviceDescription, DeviceState, LockCapability, Outcome, UnlockDoor
from hubd.model.access import AuditEntry, Card, Noted
from hubd.model.access_event import CredentialChanged
from hubd.model.capability import EntranceCapability
from hubd.model.event import Event
from hubd.store.access import AccessRecord, CredentialRecord, SystemRecord, UserRecord
from hubd.store.records import CommandRecord, DeviceRecord
from hubd.store.tables import Overlay, Tables, View
from tests.support.clock import NOON

HUB_ID = "0f4d9a0e-5a52-4a41-8f0c-2b6f0f1c9d11"
SPACE = "space"


class Scene:
    """The instance `space`; every call is one transaction at `at`. Device ids are native ids."""

    def __init__(self, *, is_connected: bool = True) -> None:
        self.at = NOON
        self.tables = Tables()
        self.is_connected = is_connected
        self.orders: dict[str, str] = {}
        """The last order of each door."""
        self.notes = Notes(HUB_ID, lambda _view, _instance, native_id: native_id, self.orders.get, self._connected)
        self.public: list[str | None] = []
        self.opened: dict[str, str] = {}

    def _connected(self, instance: str) -> bool:
        assert instance == SPACE
        return self.is_connected

    def transact(self, function: Callable[[View], object]) -> list[Event]:
        """Do something in one transaction; return the events it made. One that raises leaves nothing."""
        view = View(self.tables, Overlay(), self.at)
        function(view)
        for record in (*view.own.devices.values(), *view.own.silent.values()):
            self.tables.put_device(record)
        for command in view.own.commands.values():
            self.tables.put_command(command)
        for record_id, access in view.own.access.items():
            self.tables.access.put(record_id, access)
        self.public += [draft.public for draft in view.own.drafts]
        return [draft.event for draft in view.own.drafts]

    def tell(self, *noted: Noted, bookmark: str | None = None) -> list[Event]:
        """Take in what the system tells."""

        def take_in(view: View) -> None:
            self.opened = self.notes.take_in(view, SPACE, noted, bookmark)

        return self.transact(take_in)

    def fates(self, *noted: Noted) -> list[str]:
        """Take in what the system tells; return what became of credentials by that."""
        return [event.change for event in self.tell(*noted) if isinstance(event, CredentialChanged)]

    def news(self) -> list[str]:
        """Return the public types since the last call."""
        told = [public for public in self.public if public is not None]
        self.public.clear()
        return told

    def put(self, *records: AccessRecord) -> None:
        """Have records be there."""
        for record in records:
            self.tables.access.put(record.id, record)

    def door(self, name: str = "Main", **state: Any) -> DeviceRecord:
        """Have a door."""
        abilities = Capabilities(lock=LockCapability(can_lock=False), entrance=EntranceCapability())
        description = DeviceDescription(name, "entrance", "salto_space_door", name, capabilities=abilities)
        is_managed = state.pop("is_managed", True)
        record = DeviceRecord(Device(name, SPACE, description), DeviceState(online=True, **state), is_managed, NOON)
        self.tables.put_device(record)
        return record

    def order(self, door: str, request_id: str, outcome: Outcome | None = None) -> None:
        """Have an order to open a door be sent just now."""
        command = UnlockDoor(device_id=door, native_id=door)
        deadline = self.at + timedelta(seconds=15)
        record = CommandRecord(request_id, command, "k", self.at, deadline, self.at, outcome=outcome)
        self.tables.put_command(record)
        self.orders[door] = request_id

    @property
    def system(self) -> SystemRecord:
        """The system."""
        return self.tables.access.all(SystemRecord)[self.notes.system_id(SPACE)]

    def user(self, native_id: str = "anna") -> UserRecord:
        """Return what is known of a person."""
        return self.tables.access.all(UserRecord)[self.notes.user_id(SPACE, native_id)]

    def credential(self, native_id: str = "anna") -> CredentialRecord:
        """Return a person's credential."""
        credential_id = self.user(native_id).credential_id
        assert credential_id is not None
        return self.tables.access.all(CredentialRecord)[credential_id]


def line(event_id: str = "1", **members: Any) -> AuditEntry:
    """Build a line of the audit trail: a key opened the door `Main` at noon."""
    values: dict[str, Any] = {
        "at": NOON,
        "operation": 17,
        "name": "Door opened: key",
        "entrance": "Main",
        "passage": "granted",
        "method": "card",
    }
    return AuditEntry(event_id=event_id, **values | members)


def card(number: str | None = "A1", **members: Any) -> Card:
    """Build a key."""
    return Card(number=number, **members)
