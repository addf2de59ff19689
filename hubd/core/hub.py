"""The hub: one door for commands, one for facts. Everything else reads the journal or the tables folded from it."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, timedelta, tzinfo
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from hubd.core import twins
from hubd.core.absence import Scans, meet
from hubd.core.access.desk import Access
from hubd.core.access.notes import Notes
from hubd.core.actions import Actions
from hubd.core.climate.desk import Thermostats
from hubd.core.climate.reconciler import Reconciler as ClimateReconciler
from hubd.core.codes.desk import Codes
from hubd.core.codes.keeper import PinKeeper
from hubd.core.codes.plan import Pace
from hubd.core.codes.reconciler import Reconciler
from hubd.core.dispatcher import Dispatcher, Job
from hubd.core.health import InstanceHealth
from hubd.core.observe import Observer
from hubd.core.policy import Policy
from hubd.core.presence import Presence
from hubd.core.public import converted, told
from hubd.core.sense import Sense
from hubd.core.settle import is_by_hand, recover, resolve
from hubd.core.silence import FLAKY_SECONDS
from hubd.core.supervisor import Supervisor
from hubd.core.vault import DriverSecrets, Vault
from hubd.driver import intake
from hubd.driver.clock import Clock
from hubd.driver.protocol import Driver, DriverConfig, Manifest
from hubd.model import ids
from hubd.model.access import HeldKind, Noted
from hubd.model.command import LockDoor, Order, SimulateKeypadCodeEntry, SimulateKeypadEdit, UnlockDoor
from hubd.model.device import Device, DeviceDescription
from hubd.model.errors import HubError, NotFoundError, writable
from hubd.model.event import DeviceDescribed, DeviceEdited, DeviceFound, DeviceRemoved, HubStarted
from hubd.model.seen import ClimateSeen, CodeHintSeen, CodeSeen, LinkSeen, LockSeen, ReachabilitySeen, Seen
from hubd.store.journal import Journal
from hubd.store.records import DeviceRecord
from hubd.store.secrets import Sealer
from hubd.store.tables import View

LOG = logging.getLogger(__name__)

ORDER_DEADLINE = 15.0
"""Seconds an order may take from acceptance to its end; a slow battery lock needs up to ten."""


class Instance(msgspec.Struct, frozen=True):
    """A configured driver: its manifest, the driver made from its config, and the site's filters."""

    name: str
    manifest: Manifest
    driver: Driver
    policy: Policy
    config: DriverConfig | None = None
    """What the driver was made of; the checks of its manifest need it."""


class Site(msgspec.Struct, frozen=True):
    """What makes this box this box."""

    hub_id: str
    name: str
    time_zone: str
    version: str
    sealer: Sealer
    storage: Path
    """Directory under which each driver instance has one of its own."""
    removal_seconds: float = 600.0
    """How far apart the first and the last of three scans must be that remove a device by not finding it."""
    grace_seconds: float = 0.0
    """How long somebody must be lost until that is an event; 0: it is one at once."""
    flaky_seconds: float = FLAKY_SECONDS
    """Window within which three losses make a device's connection flaky, and which it must then be quiet."""
    battery_report_hours: float = 0.0
    """How often every battery must be reported; 0: as each device says itself."""
    code_sweep_hours: float = 24.0
    """Within which time every slot of every keypad is read once."""

    def __repr__(self) -> str:
        return f"Site({self.name!r})"


class Hub:
    """Made by the composition root. The journal must be running (`Journal.run`)."""

    def __init__(
        self, site: Site, journal: Journal, clock: Clock, group: asyncio.TaskGroup, sense: Sense | None = None
    ) -> None:
        hub_id = site.hub_id
        self.site = site
        self.journal = journal
        self.clock = clock
        self.sense = sense or Sense(journal, clock)
        self.zone: tzinfo = UTC
        """The time zone of the site, once the hub has started. Part of `supervisor.Door`."""
        self.vault = Vault()
        self.webhooks_changed = asyncio.Event()
        self.streams = 0
        """How many journal streams are open."""
        self.workspace_id = ids.workspace_id(hub_id)
        self.presence = Presence(journal, clock, grace_seconds=site.grace_seconds, flaky_seconds=site.flaky_seconds)
        self.dispatcher = Dispatcher(journal, clock, group, self.presence)
        self.actions = Actions(journal, clock, group)
        self.instances: dict[str, Instance] = {}
        self.health: dict[str, InstanceHealth] = {}
        self.account_id: Callable[[str], str] = lru_cache(maxsize=256)(lambda name: ids.account_id(hub_id, name))
        self._device_id: Callable[[str, str], str] = lru_cache(maxsize=8192)(
            lambda instance, native_id: ids.device_id(hub_id, instance, native_id)
        )
        keeper = PinKeeper(site.sealer, self.vault)
        self.codes = Codes(
            journal,
            clock,
            self.sense,
            keeper,
            Reconciler(
                journal=journal,
                dispatcher=self.dispatcher,
                clock=clock,
                sense=self.sense,
                vault=self.vault,
                keeper=keeper,
                group=group,
                is_reachable=self.is_reachable,
                pace=Pace(timedelta(hours=site.code_sweep_hours)),
            ),
        )
        self.thermostats = Thermostats(
            journal,
            clock,
            self.sense,
            ClimateReconciler(
                journal=journal,
                dispatcher=self.dispatcher,
                clock=clock,
                sense=self.sense,
                group=group,
                is_reachable=self.is_reachable,
                zone=lambda: self.zone,
            ),
        )
        notes = Notes(hub_id, self._native, self.dispatcher.latest_order, self._is_connected)
        self.access = Access(journal, clock, self.dispatcher, notes)
        self.dispatcher.take_in = self._take_in_own
        self.dispatcher.ended = self.access.ended
        self.dispatcher.tell = self._tell
        self._scans = Scans(clock, site.removal_seconds)
        self._group = group

    @property
    def devices(self) -> Mapping[str, DeviceRecord]:
        """Every device ever found, by id; removed ones carry `removed_at`."""
        return self.journal.tables.devices

    async def start(self) -> None:
        """Apply the crash rule and write down that the hub started. Before any driver runs."""
        left_open = list(self.journal.tables.open_commands.values())
        self.zone = await asyncio.to_thread(ZoneInfo, self.site.time_zone)  # the first time it reads a file

        def begin(view: View) -> None:
            view.emit(HubStarted(version=self.site.version))
            recover(view, left_open)

        await self.journal.transact(begin)
        await self.actions.recover()
        for command in left_open:
            if command.started_at is not None and isinstance(command.command, LockDoor | UnlockDoor):
                self.dispatcher.note_order(command.command.device_id, command.request_id)
        self._group.create_task(self.presence.run(), name="presence")
        self.sense.changed = self._plan_anew
        self._group.create_task(self.codes.reconciler.run(), name="codes")
        self._group.create_task(self.thermostats.reconciler.run(), name="climate")

    def add(self, instance: Instance) -> None:
        """Start a driver instance in the hub's task group."""

        def changed() -> None:
            self.presence.changed()
            self._plan_anew()

        supervisor = Supervisor(instance.name, instance.manifest, instance.driver, self.clock, changed)
        self.instances[instance.name] = instance
        self.health[instance.name] = supervisor.health
        self.presence.attach(supervisor.health)
        self.dispatcher.attach(supervisor)
        self.actions.attach(instance.name, instance.driver, supervisor.health, instance.config)
        if instance.manifest.access_system is not None:
            courier = self.access.attach(instance.name, lambda: supervisor.health.is_connected)
            self._group.create_task(courier.run(), name=f"edits-{instance.name}")
        secrets = DriverSecrets(self.vault, self.site.sealer, instance.name)
        self._group.create_task(supervisor.run(self, secrets), name=f"driver-{instance.name}")

    def _plan_anew(self) -> None:
        self.codes.reconciler.touch_all()
        self.thermostats.reconciler.touch_all()
        self.access.touch_all()

    async def drain(self, seconds: float) -> None:
        """Take nothing new, and give what is under way a little time."""
        self.access.close()
        drains = (
            self.dispatcher.drain,
            self.actions.drain,
            self.codes.reconciler.drain,
            self.thermostats.reconciler.drain,
        )
        await asyncio.gather(*(drain(seconds) for drain in drains))

    def is_reachable(self, record: DeviceRecord) -> bool:
        """Whether the device answers and every hop before it works."""
        health = self.health.get(record.device.instance)
        return record.removed_at is None and record.state.online and health is not None and health.is_connected

    def present(self, device_id: str) -> DeviceRecord:
        """Return a device that is on the site. Raises `NotFoundError` (`device_not_found`)."""
        record = self.devices.get(device_id)
        if record is None or record.removed_at is not None:
            raise NotFoundError("device_not_found", "There is no such device on this hub.", device_id=device_id)
        return record

    # -- the door for commands ---------------------------------------------------------------------------------------

    async def submit(
        self,
        command: Order,
        by: str,
        *,
        deadline_seconds: float = ORDER_DEADLINE,
        wait_seconds: float = 0.0,
        also: Callable[[str], tuple[str, tuple[str | bytes | int | None, ...]]] | None = None,
    ) -> str:
        """Accept a command and return its request id; durable when it returns.

        `wait_seconds` holds the answer until the command is settled, that long at most. `also` gives, for the request
        id, a statement that is written in the accepting transaction. Raises `NotFoundError`, `BusyError`, `StoreError`.
        """
        record = self.present(command.device_id)
        if record.device.instance not in self.health:
            raise NotFoundError(
                "driver_not_configured",
                f"No driver {record.device.instance!r} is configured any more; nothing can be sent to this device.",
                device_id=command.device_id,
            )
        job = Job(ids.new_id(), command, by, self.clock.monotonic() + deadline_seconds, _future())
        if also is not None:
            job.statement = also(job.request_id)
        job.settled.add_done_callback(lambda _: self._forget_pin(command))
        try:
            await self.dispatcher.submit(record.device.instance, job, deadline_seconds)
        except HubError:
            self._forget_pin(command)
            raise
        if wait_seconds > 0 and not job.settled.done():
            with suppress(TimeoutError):
                async with self.clock.timeout(wait_seconds):
                    await asyncio.wait({job.settled})
        return job.request_id

    def _forget_pin(self, command: Order) -> None:
        if isinstance(command, SimulateKeypadCodeEntry | SimulateKeypadEdit) and command.pin_ref is not None:
            self.vault.forget(command.pin_ref)

    # -- the door for facts ------------------------------------------------------------------------------------------

    async def found(self, instance: str, description: DeviceDescription, seen: tuple[Seen, ...]) -> str:
        """Take in a device with its first readings. Implements `supervisor.Door`."""
        description, seen = intake.description(description), intake.readings(seen)
        policy = self.instances[instance].policy

        def apply(view: View) -> str:
            device_id = self._known_as(view, instance, description.native_id)
            device = Device(device_id, instance, description)
            known = view.device(device_id)
            is_new = known is None or known.removed_at is not None
            if known is None or known.removed_at is not None:
                is_known = known is not None and known.device.description.kind == description.kind
                is_managed = policy.manages(device, was_managed=known.is_managed if known and is_known else None)
                event = DeviceFound(device=device, is_managed=is_managed)
                public = told(description.kind, "device.added") if is_managed else None
                view.emit(event, public=public, instance=instance, device_id=device_id)
                self.codes.returned(view, device_id)
            else:
                meet(view, known)
                self._redescribe(view, known, device)
            if is_new and not any(isinstance(reading, ReachabilitySeen) for reading in seen):
                self._apply(view, device_id, (ReachabilitySeen(native_id=description.native_id, online=True),))
            self._apply(view, device_id, seen)
            twins.notice(view, device_id)
            return device_id

        try:
            device_id = await self.journal.transact(apply)
        finally:
            self._forget_told(seen)
        self._note(device_id, seen)
        self.codes.reconciler.touch(device_id)
        self.thermostats.reconciler.touch(device_id)
        return device_id

    def _native(self, view: View, instance: str, native_id: str) -> str:
        return self._known_as(view, instance, native_id)

    def _is_connected(self, instance: str) -> bool:
        health = self.health.get(instance)
        return health is not None and health.is_connected

    def _known_as(self, view: View, instance: str, native_id: str) -> str:
        """Return the device that an instance means by a native id; it may have taken another one's place."""
        return view.device_id(instance, native_id, self._device_id(instance, native_id))

    def _redescribe(self, view: View, known: DeviceRecord, device: Device) -> None:
        instance, device_id = device.instance, device.device_id
        if known.device != device:
            renamed = known.device.description.name != device.description.name and known.nickname is None
            kind = device.description.kind
            public = told(kind, "device.name_changed") if renamed and known.is_managed else None
            view.emit(DeviceDescribed(device=device), public=public, instance=instance, device_id=device_id)
        is_managed = self.instances[instance].policy.manages(device, was_managed=known.is_managed)
        if is_managed is not known.is_managed:
            event = DeviceEdited(is_managed=is_managed, by="config")
            view.emit(event, public=converted(device, is_managed=is_managed), instance=instance, device_id=device_id)

    async def removed(self, instance: str, native_id: str, reason: str) -> None:
        """Take in a network's statement that a device is gone. Implements `supervisor.Door`."""

        def apply(view: View) -> str:
            device_id = self._known_as(view, instance, native_id)
            known = view.device(device_id)
            if known is not None and known.removed_at is None:
                kind = known.device.description.kind
                public = told(kind, "device.removed") if known.is_managed else None
                event = DeviceRemoved(reason=writable(reason))
                view.emit(event, public=public, instance=instance, device_id=device_id)
            return device_id

        self.thermostats.reconciler.touch(await self.journal.transact(apply))

    async def missing(self, instance: str, native_ids: tuple[str, ...]) -> None:
        """Take in what a complete scan did not find. Implements `supervisor.Door`."""
        absent = set(native_ids)

        passed = self._scans.begin(instance)

        def apply(view: View) -> None:
            records = [view.device(d) for d, r in self.devices.items() if r.device.instance == instance]
            present = [r for r in records if r and r.removed_at is None and r.device.instance == instance]
            self._scans.judge(view, present, absent, passed)

        await self.journal.transact(apply)
        self.thermostats.reconciler.touch_all()

    def known(self, instance: str) -> Mapping[str, DeviceDescription]:
        """Return the present devices of an instance, by native id. Implements `supervisor.Door`."""
        records = [r for r in self.devices.values() if r.device.instance == instance and r.removed_at is None]
        return {record.device.description.native_id: record.device.description for record in records}

    def storage(self, instance: str) -> Path:
        """Return the directory of an instance. Implements `supervisor.Door`."""
        return self.site.storage / instance

    @property
    def is_time_trusted(self) -> bool:
        """Whether the time is relied on. Implements `supervisor.Door`."""
        return self.sense.now().is_trusted

    async def note(self, instance: str, noted: tuple[Noted, ...], bookmark: str | None) -> None:
        """Take in what an access control system holds and told. Implements `supervisor.Door`."""
        opened = await self.access.note(instance, intake.noted(noted), bookmark)
        for device_id, request_id in opened.items():
            if self.dispatcher.latest_order(device_id) == request_id:  # there may be a later one by now
                self.dispatcher.note_order(device_id, None)

    def held(self, instance: str, kind: HeldKind) -> frozenset[str]:
        """Return what an access control system was told to have. Implements `supervisor.Door`."""
        return self.access.held(instance, kind)

    def bookmark(self, instance: str) -> str | None:
        """Return how far an instance has read what it reads once. Implements `supervisor.Door`."""
        return self.access.bookmark(instance)

    async def publish(self, instance: str, seen: tuple[Seen, ...]) -> None:
        """Take in readings. Implements `supervisor.Door`. Those of devices never found are dropped with a log line."""
        by_native: dict[str, list[Seen]] = {}
        for reading in intake.readings(seen):
            by_native.setdefault(reading.native_id, []).append(reading)

        def apply(view: View) -> list[tuple[str, tuple[Seen, ...]]]:
            by_device = [(self._known_as(view, instance, n), tuple(readings)) for n, readings in by_native.items()]
            for device_id, readings in by_device:
                self._apply(view, device_id, readings)
            return by_device

        try:
            noted = await self.journal.transact(apply)
        finally:
            for told in by_native.values():
                self._forget_told(told)
        for device_id, readings in noted:
            self._note(device_id, readings)

    def _apply(self, view: View, device_id: str, seen: tuple[Seen, ...]) -> None:
        record = view.device(device_id)
        if record is None:
            LOG.warning("a reading of a device that was never announced was dropped")
            return
        self._take_in_own(view, device_id, seen)
        silence = self.presence.silence(record.device.instance)
        observer = Observer(view, record, self.dispatcher.order_of(device_id), silence, self.sense.now())
        order = self.dispatcher.latest_order(device_id)
        for reading in seen:
            observer.apply(reading)
            if order is not None and isinstance(reading, LockSeen):
                if is_by_hand(reading):
                    order = None
                else:
                    resolve(view, order, reading)

    def _note(self, device_id: str, seen: tuple[Seen, ...]) -> None:
        self.presence.look_at((device_id,))
        self._tell(device_id, seen)
        if any(isinstance(reading, LockSeen) and is_by_hand(reading) for reading in seen):
            self.dispatcher.note_order(device_id, None)

    def _take_in_own(self, view: View, device_id: str, seen: Sequence[Seen]) -> None:
        """Take in what was read of codes and settings, of which the hub has wishes of its own."""
        record = view.device(device_id)
        if record is None:
            return
        self.codes.take_in(view, record, seen)
        capability = record.device.description.capabilities.thermostat
        if capability is None or record.removed_at is not None:
            return
        for reading in seen:
            if isinstance(reading, ClimateSeen):
                self.thermostats.reconciler.reader(view, record, capability).read(reading)

    def _forget_told(self, seen: Iterable[Seen]) -> None:
        """Forget the PINs that were told: what was to be kept of them is sealed in the store."""
        for reading in seen:
            if isinstance(reading, CodeSeen) and reading.pin_ref is not None:
                self.vault.forget(reading.pin_ref)

    def _tell(self, device_id: str, seen: tuple[Seen, ...]) -> None:
        for reading in seen:
            match reading:
                case ReachabilitySeen() | CodeSeen() | CodeHintSeen() | LockSeen(user_slot=int()):
                    self.codes.reconciler.touch(device_id)
                case _:
                    pass
        if any(isinstance(reading, ReachabilitySeen) and not reading.online for reading in seen):
            self.thermostats.reconciler.lost(device_id)
        elif any(not isinstance(reading, LinkSeen) for reading in seen):  # that is told of one that is mute too
            has_told = any(isinstance(reading, ClimateSeen) for reading in seen)
            self.thermostats.reconciler.heard(device_id, has_told=has_told)


def _future() -> "asyncio.Future[None]":
    return asyncio.get_running_loop().create_future()
