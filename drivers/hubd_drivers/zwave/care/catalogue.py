"""What a technician can have the Z-Wave driver do; `care` does it."""

from typing import Annotated, Final, Literal

from msgspec import Meta

from hubd.driver import Action, Arguments

type Security = Literal["auto", "s2", "s0", "insecure"]
type Name = Annotated[
    str,
    Meta(title="Name", description="What the device is to be called; empty: by its maker's name.", max_length=60),
]
type WaitSeconds = Annotated[int, Meta(title="Seconds", description="How long to wait for the device.", ge=10, le=240)]

KEY_SECONDS: Final = 330
"""What a key exchange takes at most: zwave-js gives the person 240 s for the digits, and each of its steps 10 s."""
INTERVIEW_SECONDS: Final = 600
"""How long an action waits for an interview; a lock with 250 user codes needs some minutes."""
ROUTES_SECONDS: Final = 300
ALL_ROUTES_SECONDS: Final = 6 * 3600
BACKUP_SECONDS: Final = 900
_SPARE: Final = 60


class Include(Arguments, frozen=True, kw_only=True):
    """How to include a device."""

    seconds: WaitSeconds = 60
    security: Annotated[
        Security,
        Meta(
            title="Encryption",
            description="auto: S2 if the device offers it, else S0. s0 for old locks that fail with S2.",
        ),
    ] = "auto"
    allow_insecure: Annotated[
        bool, Meta(title="Accept a lock without encryption", description="It takes no codes and few commands then.")
    ] = False
    name: Name = ""


class Replace(Include, frozen=True, kw_only=True):
    """How to include what takes a broken device's place."""


class Exclude(Arguments, frozen=True, kw_only=True):
    """How long to wait."""

    seconds: WaitSeconds = 60


class SmartStartAdd(Arguments, frozen=True, kw_only=True):
    """A device to be included by itself."""

    code: Annotated[
        str,
        Meta(
            title="QR code or DSK",
            description="The digits of the device's QR code, which begin with 90, or its DSK: 8 groups of 5 digits.",
            min_length=40,
            max_length=400,
        ),
    ]
    name: Name = ""


class SmartStartRemove(Arguments, frozen=True, kw_only=True):
    """An entry of the SmartStart list."""

    dsk: Annotated[
        str,
        Meta(title="DSK", description="As the list shows it, without its first group.", min_length=41, max_length=47),
    ]


class NodeNumber(Arguments, frozen=True, kw_only=True):
    """A node that is no device of the hub."""

    node: Annotated[int, Meta(title="Node", description="Its number; the action network lists them.", ge=2, le=4000)]


class Rounds(Arguments, frozen=True, kw_only=True):
    """How thorough a health check is."""

    rounds: Annotated[int, Meta(title="Rounds", description="Ten pings each, and more.", ge=1, le=10)] = 3


class Restore(Arguments, frozen=True, kw_only=True):
    """A backup of the stick."""

    file: Annotated[str, Meta(title="File", description="The name that backup_stick gave it.", max_length=100)]


_JOINING: Final = (
    Action(
        name="include",
        title="Include a device",
        description="Puts the stick into inclusion mode; then do at the device what its manual says. For S2 the first "
        "five digits of the DSK, on a label at the device, are asked for.",
        arguments=Include,
        seconds=240 + KEY_SECONDS + INTERVIEW_SECONDS + _SPARE,
    ),
    Action(
        name="exclude",
        title="Exclude a device",
        description="Puts the stick into exclusion mode; then do at the device what its manual says. It also frees a "
        "device that belongs to another network.",
        arguments=Exclude,
        warning="The device that answers leaves the network. Many locks lose their codes with that.",
        seconds=240 + _SPARE,
    ),
    Action(
        name="smart_start_add",
        title="Add to the SmartStart list",
        description="A device on the list is included by itself, with S2, within minutes of getting power.",
        arguments=SmartStartAdd,
    ),
    Action(
        name="smart_start_list",
        title="Show the SmartStart list",
        description="Which devices are included by themselves. The first group of a DSK is not shown.",
        role="viewer",
        exclusive=False,
    ),
    Action(
        name="smart_start_remove",
        title="Remove from the SmartStart list",
        description="The device is not included by itself any more; one that is included stays.",
        arguments=SmartStartRemove,
    ),
    Action(
        name="replace_failed",
        title="Replace a broken device",
        description="Includes another device in the place, with the node number, of one that does not answer any more. "
        "What is asked is as in including. A device without S2 needs the encryption s0 named.",
        arguments=Replace,
        on_device=True,
        warning="The broken device is out of the network once the new one has joined.",
        seconds=240 + KEY_SECONDS + INTERVIEW_SECONDS + _SPARE,
    ),
    Action(
        name="remove_failed",
        title="Remove a broken device",
        description="Strikes a device that does not answer any more off the network. One that answers is not removed.",
        on_device=True,
        warning="If the device works again later, it has to be excluded and included again.",
        seconds=120,
    ),
    Action(
        name="remove_failed_node",
        title="Remove a broken node by number",
        description="As removing a broken device, for a node that the hub does not show as one: what an earlier "
        "inclusion has left behind, or what never was interviewed.",
        arguments=NodeNumber,
        warning="If the device works again later, it has to be excluded and included again.",
        seconds=120,
    ),
)

_UPKEEP: Final = (
    Action(
        name="ping",
        title="Ping",
        description="Sends an empty frame to the device and waits for its acknowledgement.",
        on_device=True,
        seconds=60,
        exclusive=False,
    ),
    Action(
        name="statistics",
        title="Show statistics",
        description="How zwave-js gets on with the device since its own start: frames, times, signal, route.",
        on_device=True,
        role="viewer",
        exclusive=False,
    ),
    Action(
        name="check_health",
        title="Check its radio link",
        description="Pings the device many times and rates the link from 0 (dead) to 10 (perfect).",
        arguments=Rounds,
        on_device=True,
        warning="The radio is busy for up to a minute a round; orders wait behind it.",
        seconds=900,
    ),
    Action(
        name="interview_again",
        title="Interview again",
        description="Has zwave-js ask the device anew what it is and can do. Its codes stay.",
        on_device=True,
        warning="It takes minutes with a lock and drains some battery. Do it close to the stick or a repeater.",
        seconds=INTERVIEW_SECONDS + _SPARE,
    ),
    Action(
        name="rebuild_routes",
        title="Find its routes anew",
        description="Has the device look for its neighbours, and gives it new routes. For after it has moved.",
        on_device=True,
        warning="The radio is busy for up to a minute.",
        seconds=ROUTES_SECONDS + _SPARE,
    ),
    Action(
        name="rebuild_all_routes",
        title="Find all routes anew",
        description="The same for every node that does not sleep, one after the other.",
        warning="It is slow: hours on a large network, in which orders come late. For after many devices have moved.",
        seconds=ALL_ROUTES_SECONDS + _SPARE,
    ),
    Action(
        name="network",
        title="Show the network",
        description="The stick and all its nodes: what they are, how they are encrypted, by which route they are "
        "reached and how well they are heard.",
        role="viewer",
        seconds=300,
        exclusive=False,
    ),
    Action(
        name="backup_stick",
        title="Back up the stick",
        description="Copies the stick's memory, with its network, into a file. The security keys are not in it.",
        warning="The radio is silent for about a minute: no lock is heard or moved.",
        seconds=BACKUP_SECONDS + _SPARE,
    ),
    Action(
        name="restore_stick",
        title="Restore the stick",
        description="Writes a backup onto the stick, which is then the one that was backed up.",
        arguments=Restore,
        role="owner",
        warning="It replaces the network that is on the stick now. The radio is silent for minutes. If the power fails "
        "in the middle of it, the stick can be lost.",
        seconds=2 * BACKUP_SECONDS,
    ),
)

ACTIONS: Final = (*_JOINING, *_UPKEEP)
