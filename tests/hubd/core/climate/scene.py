"""One thermostat in memory, without a database: what is durable of it, and what readings and steps make of that."""

from collections.abc import Callable
from typing import Any

from hubd.core.climate.readings import Doing, Reader
from hubd.core.sense import Instant
from hubd.model import (
    Capabilities,
    Climate,
    ClimateSeen,
    ClimateSource,
    Device,
    DeviceDescription,
    DeviceState,
)
from hubd.model.event import Event
from hubd.store.climate import ThermostatRecord
from hubd.store.records import DeviceRecord
from hubd.store.tables import Overlay, Tables, View
from tests.hubd.core.climate.plans import DEVICE, ZONE
from tests.sims.thermostats import PLAIN
from tests.support.clock import NOON


class Scene:
    """A thermostat; every call is one transaction at `at`."""

    def __init__(
        self, record: ThermostatRecord | None = None, climate: Climate | None = None, *, is_managed: bool = True
    ) -> None:
        self.at = NOON
        self.tables = Tables()
        abilities = Capabilities(thermostat=PLAIN)
        found = Device(
            DEVICE,
            "front",
            DeviceDescription(DEVICE, "thermostat", "virtual_thermostat", "Room", capabilities=abilities),
        )
        state = DeviceState(online=True, climate=climate)
        self.tables.put_device(DeviceRecord(found, state, is_managed=is_managed, found_at=NOON))
        if record is not None:
            self.tables.put_thermostat(record)
        self.public: list[str | None] = []
        self.statements: list[tuple[str, tuple[Any, ...]]] = []

    def transact(self, function: Callable[[View], object]) -> list[Event]:
        """Do something in one transaction; return the events it made."""
        view = View(self.tables, Overlay(), self.at)
        function(view)
        for record in (*view.own.devices.values(), *view.own.silent.values()):
            self.tables.put_device(record)
        for thermostat in view.own.thermostats.values():
            self.tables.put_thermostat(thermostat)
        for schedule_id, schedule in view.own.schedules.items():
            self.tables.put_schedule(schedule_id, schedule)
        self.public += [draft.public for draft in view.own.drafts]
        self.statements += view.own.statements
        return [draft.event for draft in view.own.drafts]

    def see(
        self,
        climate: Climate,
        source: ClimateSource | None = None,
        **doing: Any,
    ) -> list[Event]:
        """Take in a reading."""

        def read(view: View) -> None:
            instant = Instant(self.at, is_trusted=True)
            reader = Reader(view, self.device, PLAIN, instant, ZONE, Doing(**doing))
            reader.read(ClimateSeen(native_id=DEVICE, climate=climate, source=source))

        return self.transact(read)

    @property
    def device(self) -> DeviceRecord:
        """The device."""
        return self.tables.devices[DEVICE]

    @property
    def record(self) -> ThermostatRecord:
        """What is kept of it."""
        return self.tables.thermostat(DEVICE)
