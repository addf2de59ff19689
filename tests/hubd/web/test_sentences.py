from datetime import UTC, datetime
from typing import get_args

import pytest

from hubd.model import (
    Capabilities,
    ClimateSetting,
    Device,
    DeviceDescription,
    EncodeCredential,
    LockDoor,
    Order,
    SimulateConnection,
    SimulateHubConnection,
    SimulateHvacModeAdjusted,
    SimulateKeypadCodeEntry,
    SimulateKeypadEdit,
    SimulateManualLock,
    SimulateRemoval,
    SimulateTemperatureReached,
    UnlockDoor,
    done,
    expired,
    rejected,
    unreachable,
)
from hubd.model import event as ev
from hubd.model.access_event import EntranceAudited, EntranceChanged
from hubd.model.outcome import Outcome, OutcomeKind
from hubd.store.records import CommandRecord
from hubd.web import sentences
from hubd.web.scene import Scene
from tests.hubd.web.test_access_sentences import EXAMPLES as OF_ACCESS
from tests.hubd.web.test_access_sentences import SCENE as ACCESS_SCENE
from tests.hubd.web.test_climate_sentences import EXAMPLES as OF_THERMOSTATS
from tests.hubd.web.test_code_sentences import EXAMPLES as OF_CODES

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
UNLOCK = UnlockDoor(device_id="d", native_id="n")
DEVICE = Device("d", "radio", DeviceDescription("n", "lock", "zwave_lock", "Room 101", firmware="2.0"))
RECORD = CommandRecord("r", UNLOCK, "k", NOON, NOON)
SCENE = Scene(
    device="Room 101",
    link="Z-Wave",
    who=lambda by: "“Front desk”" if by == "k" else "somebody",
    order=lambda request_id: RECORD if request_id == "r" else None,
    code=lambda code_id: f"the code “{code_id}”",
    moment=lambda at: f"{at:%d %b %H:%M}",
)


def settled(outcome: Outcome) -> ev.CommandSettled:
    return ev.CommandSettled(request_id="r", outcome=outcome)


EXAMPLES: list[tuple[ev.Event, str]] = [
    (ev.HubStarted(version="0.1.0"), "The hub started (version 0.1.0)."),
    (ev.DeviceFound(device=DEVICE, is_managed=True), "Room 101 was found."),
    (ev.DeviceFound(device=DEVICE, is_managed=False), "Room 101 was found; it is not managed."),
    (ev.DeviceDescribed(device=DEVICE), "Room 101 now describes itself differently (firmware 2.0)."),
    (ev.DeviceRemoved(reason="It was excluded."), "Room 101 was removed: It was excluded."),
    (ev.DeviceConnected(), "Room 101 answers."),
    (
        ev.DeviceDisconnected(error_code="device_disconnected", reason="It sleeps."),
        "Room 101 stopped answering: It sleeps.",
    ),
    (ev.DeviceEdited(nickname="Suite", by="k"), "Room 101 was named “Suite”, by “Front desk”."),
    (ev.DeviceEdited(nickname=None, is_managed=False), "Room 101 lost its nickname and is no longer managed."),
    (ev.DeviceEdited(is_managed=True, custom_metadata={}), "Room 101 is now managed and got new notes."),
    (ev.DeviceEdited(), "Room 101 was edited."),
    (
        ev.DeviceReplaced(device=DEVICE, replaced=DEVICE, by="k"),
        "Room 101 is now other hardware, Room 101, by “Front desk”.",
    ),
    (
        ev.DuplicateNoticed(device_ids=("d", "e"), other_name="Back door", hardware_id="serial:acme:1"),
        "Room 101 and “Back door” are the same hardware, connected in two ways.",
    ),
    (ev.AccountEdited(display_name="Floor 1", by="k"), "Z-Wave was renamed, by “Front desk”."),
    (ev.AccountEdited(custom_metadata={}), "Z-Wave was annotated."),
    (ev.LockChanged(locked=False, method="keycode", user_slot=3), "Room 101 was unlocked by keypad (slot 3)."),
    (
        ev.LockChanged(locked=False, method="keycode", user_slot=3, code_id="Guest"),
        "Room 101 was unlocked by keypad with the code “Guest”.",
    ),
    (ev.LockChanged(locked=True, method="manual"), "Room 101 was locked by hand."),
    (ev.LockChanged(locked=True, method="automatic"), "Room 101 was locked by itself."),
    (ev.LockChanged(locked=True, method="unknown"), "Room 101 was locked."),
    (ev.LockChanged(locked=False, method="card"), "Room 101 was unlocked by card."),
    (ev.LockChanged(locked=False, method="remote", request_id="old"), "Room 101 was unlocked remotely."),
    (
        ev.LockChanged(locked=False, method="remote", request_id="r"),
        "Room 101 was unlocked by order of “Front desk”.",
    ),
    (ev.LockUncertain(jammed=True), "The bolt of Room 101 is jammed."),
    (ev.LockUncertain(jammed=False), "Room 101 no longer knows where its bolt is."),
    (ev.LockDenied(reason="unknown_code", message="Unknown code."), "Somebody was refused at Room 101: Unknown code."),
    (ev.DoorChanged(open=True), "The door of Room 101 was opened."),
    (ev.DoorChanged(open=False), "The door of Room 101 was closed."),
    (ev.DoorChanged(open=None), "Room 101 no longer knows whether its door is open."),
    (ev.BatteryChanged(level=0.6, status="good"), "The battery of Room 101 is now good (60 %)."),
    (ev.BatteryLow(level=0.18), "The battery of Room 101 is low (18 %): change it soon."),
    (ev.Tampered(), "Somebody is at the housing of Room 101."),
    (ev.HopLost(hop="server", code="refused", reason="It refused."), "Z-Wave lost its server: It refused."),
    (ev.HopBack(), "Z-Wave is connected."),
    (ev.HopBack(away_seconds=200.0), "Z-Wave is connected again after 3 minutes."),
    (
        ev.ActionStarted(run_id="r", action="include", by="k"),
        "“include” was started on Z-Wave, by “Front desk”.",
    ),
    (
        ev.ActionEnded(run_id="r", action="include", state="done", message="Room 105 was added."),
        "“include” on Z-Wave ended: Room 105 was added.",
    ),
    (
        ev.CommandAccepted(request_id="r", command=UNLOCK, deadline=NOON, by="k"),
        "“Front desk” ordered to unlock Room 101.",
    ),
    (
        ev.CommandAccepted(request_id="r", command=LockDoor(device_id="d", native_id="n"), deadline=NOON, by="x"),
        "Somebody ordered to lock Room 101.",
    ),
    (ev.CommandStarted(request_id="r"), "Order to unlock Room 101: on its way."),
    (ev.CommandStarted(request_id="old"), "An order to Room 101: on its way."),
    (settled(done()), "Order to unlock Room 101: done."),
    (settled(rejected("jam", "It jams.")), "Order to unlock Room 101: refused. It jams."),
    (settled(unreachable("gone", "No way.")), "Order to unlock Room 101: not sent. No way."),
    (settled(expired("Too late.")), "Order to unlock Room 101: expired, not sent. Too late."),
    (
        ev.CommandResolved(request_id="r", reached=True, message="The lock now reports that it is unlocked."),
        "Order to unlock Room 101: the lock now reports that it is unlocked.",
    ),
    (
        ev.KeyCreated(key_id="k2", name="Night\nshift", role="viewer", by="k"),
        "A key “Night shift” with role viewer was made, by “Front desk”.",
    ),
    (ev.KeyRevoked(key_id="k", by=""), "The key “Front desk” was taken back."),
    (
        ev.CursorCut(cursor="webhook x", first=5, last=6, reason="It was away for 3 days."),
        "2 events were passed over for webhook x: It was away for 3 days.",
    ),
]


@pytest.mark.parametrize(
    ("event", "text"), EXAMPLES, ids=[f"{n}-{type(event).__name__}" for n, (event, _) in enumerate(EXAMPLES)]
)
def test_sentence(event: ev.Event, text: str) -> None:
    assert sentences.sentence(event, SCENE).replace("\u00a0", " ") == text
    assert sentences.tone(event) in {"ok", "note", "warn", "bad", "quiet"}


@pytest.mark.parametrize(("event", "text"), OF_CODES)
def test_what_became_of_a_code(event: ev.Event, text: str) -> None:
    assert sentences.sentence(event, SCENE) == text


@pytest.mark.parametrize(
    ("event", "text"),
    OF_THERMOSTATS,
    ids=[f"{n}-{type(event).__name__}" for n, (event, _) in enumerate(OF_THERMOSTATS)],
)
def test_what_became_of_a_thermostat(event: ev.Event, text: str) -> None:
    assert sentences.sentence(event, SCENE).replace("\u00a0", " ") == text


def test_every_event_has_an_example() -> None:
    members = get_args(ev.Event.__value__)
    kinds = {kind for one in members for kind in get_args(getattr(one, "__value__", None)) or (one,)}
    assert {type(event) for event, _ in (*EXAMPLES, *OF_CODES, *OF_THERMOSTATS, *OF_ACCESS)} == kinds


@pytest.mark.parametrize(("event", "text"), OF_ACCESS)
def test_what_happened_in_an_access_control_system(event: ev.Event, text: str) -> None:
    assert sentences.sentence(event, ACCESS_SCENE) == text


def test_every_command_has_words_of_its_own() -> None:
    names = {"device_id": "d", "native_id": "n"}
    commands: list[Order] = [
        LockDoor(**names),
        UnlockDoor(**names),
        SimulateKeypadCodeEntry(**names, pin_ref="p"),
        SimulateManualLock(**names),
        SimulateKeypadEdit(device_id="d", native_id="n"),
        SimulateRemoval(**names),
        SimulateHvacModeAdjusted(**names, setting=ClimateSetting(hvac_mode="off")),
        SimulateTemperatureReached(**names, temperature_celsius=21.0),
        EncodeCredential(**names, user="u", credential_id="c", is_new_key=True),
    ]
    for connected in (True, False):
        commands += [
            SimulateConnection(**names, connected=connected),
            SimulateHubConnection(**names, connected=connected),
        ]
    assert {type(command) for command in commands} == set(get_args(Order.__value__))
    assert len({sentences.order_words(command) for command in commands}) == len(commands)


def test_every_outcome_has_words_of_its_own() -> None:
    words = {sentences.outcome_words(Outcome(kind, "code", "")) for kind in OutcomeKind}
    assert len(words) == len(OutcomeKind)


@pytest.mark.parametrize(
    ("event", "tone"),
    [
        (ev.LockUncertain(jammed=True), "bad"),
        (ev.LockUncertain(jammed=False), "warn"),
        (settled(done()), "quiet"),
        (settled(Outcome(OutcomeKind.SENT_UNCONFIRMED, "x", "")), "warn"),
        (ev.CommandResolved(request_id="r", reached=False, message=""), "warn"),
        (ev.CommandResolved(request_id="r", reached=True, message=""), "quiet"),
        (ev.CodePlaced(code_id="c", slot=1), "quiet"),
        (ev.CodeDelayed(code_id="c", doing="setting", reason=""), "warn"),
        (ev.CodeMisused(code_id="c", slot=1), "bad"),
        (ev.ClimateFailed(error_code="x", message=""), "warn"),
        (ev.ThresholdExceeded(temperature_celsius=9.0), "bad"),
        (ev.TemperatureChanged(temperature_celsius=9.0), "quiet"),
        (EntranceChanged(condition="tamper", is_on=True), "bad"),
        (EntranceAudited(trail_id="1", operation=17, name="Door opened: key"), "quiet"),
    ],
)
def test_tone(event: ev.Event, tone: str) -> None:
    assert sentences.tone(event) == tone


def test_what_drivers_say_cannot_disturb_the_line() -> None:
    event = ev.DeviceRemoved(reason="gone\r\n\u202e" + "x" * 10_000)
    said = sentences.sentence(event, SCENE)
    assert len(said) < 400
    assert said.isprintable()


def test_a_device_without_firmware_says_nothing_of_it() -> None:
    device = Device("d", "radio", DeviceDescription("n", "lock", "zwave_lock", "Room", capabilities=Capabilities()))
    assert sentences.sentence(ev.DeviceDescribed(device=device), SCENE) == "Room 101 now describes itself differently."
