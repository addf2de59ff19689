"""An access control system in memory, behind a driver that does what the hub asks of it.

Small and honest: it holds people, groups, doors and encoders, makes the changes that it is asked for and tells of what
it then holds; it can refuse, have a record open elsewhere, and go away.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from hubd.core.hub import Instance
from hubd.core.policy import Policy
from hubd.driver import DriverConfig, DriverError, Manifest, Port
from hubd.model import (
    AccessChange,
    AcsGone,
    AcsGroup,
    AcsUser,
    AcsZone,
    AuditEntry,
    Capabilities,
    Card,
    Command,
    CreateUser,
    DeleteGroup,
    DeleteUser,
    DeviceDescription,
    EditAccess,
    EditUser,
    EncodeCredential,
    EncoderCapability,
    EntranceCapability,
    LockCapability,
    Noted,
    Outcome,
    Permission,
    PermitEntrance,
    ReachabilitySeen,
    RevokeAll,
    Seen,
    SetMembership,
    UnlockDoor,
    done,
    rejected,
    sent_unconfirmed,
    unreachable,
    unsupported,
)

TYPE = "scripted_space"


def gone() -> DriverError:
    """Build the loss of the server."""
    message = "The server does not answer."
    return DriverError("server", "host_unreachable", message, "Start the computer that Space runs on.")


def door(native_id: str, name: str, *, is_online: bool = True, **members: Any) -> DeviceDescription:
    """Describe a door; one that is not online stands alone."""
    abilities = Capabilities(
        lock=LockCapability(can_lock=False, can_unlock=is_online),
        entrance=EntranceCapability(is_standalone=not is_online, **members),
    )
    return DeviceDescription(native_id, "entrance", "salto_space_entrance", name, capabilities=abilities)


def encoder(native_id: str, name: str) -> DeviceDescription:
    """Describe an encoder."""
    abilities = Capabilities(encoder=EncoderCapability())
    return DeviceDescription(native_id, "encoder", "salto_space_encoder", name, capabilities=abilities)


@dataclass
class System:
    """What the system holds, by native ids. The hub hears of it when its driver tells."""

    devices: list[DeviceDescription] = field(default_factory=list)
    users: dict[str, AcsUser] = field(default_factory=dict)
    groups: dict[str, AcsGroup] = field(default_factory=dict)
    zones: dict[str, AcsZone] = field(default_factory=dict)
    readings: dict[str, tuple[Seen, ...]] = field(default_factory=dict)
    cards: list[str | None] = field(default_factory=list)
    """What people present at encoders, in order: numbers of chips, None: nobody comes."""
    refusals: dict[type[AccessChange] | type[EncodeCredential] | type[UnlockDoor], Outcome] = field(
        default_factory=dict
    )
    """How commands and changes of a type end instead of being done."""
    changes: list[AccessChange] = field(default_factory=list)
    """Every change that was asked for, refused ones too."""
    openings: list[str] = field(default_factory=list)


def furnished() -> System:
    """Build the system of most tests: three doors and a room, an encoder, two groups, two people."""
    system = System(
        devices=[
            door("door-lobby", "Lobby", description="Main entrance"),
            door("door-pool", "Pool", audits_on_keys=True),
            door("door-shed", "Shed", is_online=False),
            door("room-101", "Room 101", type="room"),
            encoder("encoder-1", "Reception"),
        ],
        zones={"zone-wet": AcsZone("zone-wet", "Wet", ("door-pool",))},
    )
    system.groups = {
        "group-staff": AcsGroup("group-staff", "Staff", "All day", (Permission("door-lobby"), Permission("door-shed"))),
        "group-guests": AcsGroup("group-guests", "Guests", zones=(Permission("zone-wet"),)),
    }
    system.users = {
        "user-ada": AcsUser(
            "user-ada",
            "Ada Example",
            phone_number="+43 1 234",
            groups=("group-staff",),
            entrances=(Permission("room-101"),),
            card=Card("04A1B2C3D4E5F6", state="current"),
        ),
        "user-bob": AcsUser("user-bob", "Bob Example", groups=("group-guests",)),
    }
    return system


class AccessDriver:
    """Implements `Driver` on a `System`."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.port: Port | None = None
        self.hold = asyncio.Event()
        """While it is clear, the system does not answer to commands."""
        self.hold.set()
        self._is_there = asyncio.Event()
        self._is_there.set()
        self._gone = asyncio.Event()

    # -- the driver ----------------------------------------------------------------------------------------------------

    async def run(self, port: Port) -> None:
        """Live one life: tell all that the system holds, then wait until it goes away."""
        if not self._is_there.is_set():
            raise gone()
        self.port = port
        for description in self.system.devices:
            await port.found(description, *self.system.readings.get(description.native_id, ()))
        held: list[Noted] = [*self.system.zones.values(), *self.system.groups.values(), *self.system.users.values()]
        await port.note(*held)
        port.ready()
        await self._gone.wait()
        raise gone()

    async def execute(self, command: Command) -> Outcome:
        """Do what is asked, unless the test says how it ends."""
        if not self._is_there.is_set():
            return unreachable("host_unreachable", gone().message)
        await self.hold.wait()
        match command:
            case EditAccess(change=change):
                self.system.changes.append(change)
                return self.system.refusals.get(type(change)) or self._change(change)
            case EncodeCredential():
                return self.system.refusals.get(EncodeCredential) or self._encode(command)
            case UnlockDoor(native_id=native_id):
                self.system.openings.append(native_id)
                return self.system.refusals.get(UnlockDoor) or done("The system opened it.")
            case _:
                return unsupported("It does no such thing.")

    # -- the system ----------------------------------------------------------------------------------------------------

    def _change(self, change: AccessChange) -> Outcome:
        system, subject = self.system, change.subject
        match change:
            case CreateUser(user=user):
                system.users.setdefault(subject, user)
            case DeleteUser():
                system.users.pop(subject, None)
                return done(noted=(AcsGone("user", subject),))
            case DeleteGroup():
                system.groups.pop(subject, None)
                return done(noted=(AcsGone("group", subject),))
            case _ if subject not in system.users:
                return rejected("user_not_found", "The system has no such user any more.")
            case EditUser():
                names = ("full_name", "phone_number", "starts_at", "ends_at", "is_suspended")
                members = {name: value for name in names if (value := getattr(change, name)) is not UNSET}
                system.users[subject] = replace(system.users[subject], **members)
            case SetMembership(group=group, is_member=is_member):
                groups = {*system.users[subject].groups} - {group}
                groups |= {group} if is_member else set()
                system.users[subject] = replace(system.users[subject], groups=tuple(sorted(groups)))
            case PermitEntrance(entrance=entrance):
                rights = {right.native_id: right for right in system.users[subject].entrances}
                rights[entrance] = Permission(entrance)
                system.users[subject] = replace(system.users[subject], entrances=tuple(rights.values()))
            case RevokeAll():
                system.users[subject] = replace(system.users[subject], groups=(), entrances=(), zones=())
        return done(noted=(system.users[subject],))

    def _encode(self, command: EncodeCredential) -> Outcome:
        user = self.system.users.get(command.user)
        number = self.system.cards.pop(0) if self.system.cards else None
        if user is None or (user.card is None) is not command.is_new_key:
            return rejected("credential_cannot_be_reissued", "The system does not write this key again.")
        if number is None:
            return rejected("no_credential_on_encoder", "Nobody presented a card in time; start again.")
        self.system.users[command.user] = replace(user, card=Card(number, user.starts_at, user.ends_at, "current"))
        return done(noted=(self.system.users[command.user],))

    # -- what tests have happen ----------------------------------------------------------------------------------------

    def go_away(self) -> None:
        """Have the server be gone, from this instant."""
        self._is_there.clear()
        self._gone.set()

    def come_back(self) -> None:
        """Have it be there again; the hub's next try finds it."""
        self._gone.clear()
        self._is_there.set()

    async def tell(self, *noted: Noted, bookmark: str | None = None) -> None:
        """Have the driver tell something, as if somebody had changed it in the system."""
        assert self.port is not None
        for one in noted:
            if isinstance(one, AcsUser):
                self.system.users[one.native_id] = one
            if isinstance(one, AcsGroup):
                self.system.groups[one.native_id] = one
        await self.port.note(*noted, bookmark=bookmark)

    async def see(self, *seen: Seen) -> None:
        """Have the driver see something at a door."""
        assert self.port is not None
        await self.port.publish(*seen)

    async def lose(self, native_id: str, reason: str) -> None:
        """Have a door or an encoder not answer."""
        await self.see(ReachabilitySeen(native_id=native_id, online=False, reason=reason))

    def caution(self, code: str, message: str | None, remedy: str = "") -> None:
        """Have the driver say that something is not as it should be."""
        assert self.port is not None
        self.port.caution(code, message, remedy)


def audit(event_id: str, at: datetime, entrance: str | None, **members: Any) -> AuditEntry:
    """Build a line of the audit trail; without more it is an opening by card."""
    values: dict[str, Any] = {"operation": 17, "name": "Opened with a key", "passage": "granted", "method": "card"}
    return AuditEntry(event_id=event_id, at=at, entrance=entrance, **values | members)


def busy(message: str = "Somebody has this record open in Space.") -> Outcome:
    """Build the outcome of a change that is to be tried again."""
    return rejected("record_locked", message, {"is_temporary": True})


def lost_answer() -> Outcome:
    """Build the outcome of a command whose effect is not known."""
    return sent_unconfirmed("No answer came.")


def manifest(driver: AccessDriver, **changes: Any) -> Manifest:
    """Return the manifest of the driver."""
    values: dict[str, Any] = {
        "title": "Scripted Space",
        "hops": ("server",),
        "kinds": ("entrance", "encoder"),
        "budget": 4,
        "access_system": "salto_space",
    }
    return Manifest(type=TYPE, config=DriverConfig, create=lambda _: driver, **values | changes)


def instance(driver: AccessDriver, name: str = "space", policy: Policy | None = None, **changes: Any) -> Instance:
    """Make a driver instance as the composition root does."""
    made = manifest(driver, **changes)
    return Instance(name, made, driver, policy or Policy(made.kinds))
