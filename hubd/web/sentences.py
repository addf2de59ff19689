"""Every journal event as a sentence for a technician. Pure; closed over the union of events."""

from typing import assert_never

import msgspec

from hubd.model import event as ev
from hubd.model.access_event import (
    AccessEditAccepted,
    AccessEditEnded,
    AccessSystemFound,
    AcsGroupChanged,
    AcsUserChanged,
    CredentialChanged,
    EntranceAudited,
    EntranceChanged,
)
from hubd.model.command import (
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
)
from hubd.model.outcome import Outcome, OutcomeKind
from hubd.model.seen import Method
from hubd.store.records import CommandRecord
from hubd.web import words
from hubd.web.access_sentences import access_sentence, access_tone
from hubd.web.climate_sentences import climate_sentence, climate_tone
from hubd.web.code_sentences import code_sentence, code_tone
from hubd.web.scene import Scene, by, first_upper
from hubd.web.words import Tone, plain

type _DeviceEvent = (
    ev.DeviceFound
    | ev.DeviceDescribed
    | ev.DeviceRemoved
    | ev.DeviceConnected
    | ev.DeviceDisconnected
    | ev.DeviceEdited
    | ev.DeviceReplaced
    | ev.DuplicateNoticed
    | ev.Tampered
)
type _LockEvent = ev.LockChanged | ev.LockUncertain | ev.LockDenied | ev.DoorChanged
type _ReadingEvent = ev.BatteryChanged | ev.BatteryLow
type _CommandEvent = ev.CommandAccepted | ev.CommandStarted | ev.CommandSettled | ev.CommandResolved
type _HubEvent = (
    ev.HubStarted
    | ev.AccountEdited
    | ev.HopLost
    | ev.HopBack
    | ev.ActionStarted
    | ev.ActionEnded
    | ev.KeyCreated
    | ev.KeyRevoked
    | ev.CursorCut
)

_HOW: dict[Method, str] = {
    "keycode": " by keypad",
    "manual": " by hand",
    "automatic": " by itself",
    "unknown": "",
    "remote": " remotely",
    "card": " by card",
}


def sentence(event: ev.Event, scene: Scene) -> str:
    """Say what happened."""
    match event:
        case (
            ev.DeviceFound()
            | ev.DeviceDescribed()
            | ev.DeviceRemoved()
            | ev.DeviceConnected()
            | ev.DeviceDisconnected()
            | ev.DeviceEdited()
            | ev.DeviceReplaced()
            | ev.DuplicateNoticed()
            | ev.Tampered()
        ):
            return _of_device(event, scene)
        case ev.LockChanged() | ev.LockUncertain() | ev.LockDenied() | ev.DoorChanged():
            return _of_lock(event, scene)
        case ev.BatteryChanged() | ev.BatteryLow():
            return _of_reading(event, scene)
        case (
            ev.ThermostatAdjusted()
            | ev.PlanChanged()
            | ev.PresetActivated()
            | ev.OverrideBegan()
            | ev.OverrideEnded()
            | ev.ClimateFailed()
            | ev.ThermostatEdited()
            | ev.ThresholdExceeded()
            | ev.ThresholdCleared()
            | ev.SetPointReached()
            | ev.TemperatureChanged()
        ):
            return climate_sentence(event, scene)
        case ev.CommandAccepted() | ev.CommandStarted() | ev.CommandSettled() | ev.CommandResolved():
            return _of_command(event, scene)
        case (
            ev.HubStarted()
            | ev.AccountEdited()
            | ev.HopLost()
            | ev.HopBack()
            | ev.ActionStarted()
            | ev.ActionEnded()
            | ev.KeyCreated()
            | ev.KeyRevoked()
            | ev.CursorCut()
        ):
            return _of_hub(event, scene)
        case (
            AccessSystemFound()
            | EntranceChanged()
            | EntranceAudited()
            | AcsUserChanged()
            | AcsGroupChanged()
            | CredentialChanged()
            | AccessEditAccepted()
            | AccessEditEnded()
        ):
            return access_sentence(event, scene)
        case _:
            return code_sentence(event, scene)


def tone(event: ev.Event) -> Tone:
    """Return how loud an event is shown."""
    match event:
        case ev.HopLost() | ev.Tampered() | ev.DeviceDisconnected() | ev.LockUncertain(jammed=True):
            return "bad"
        case ev.CommandSettled(outcome=Outcome(kind=OutcomeKind.DONE)):
            return "quiet"
        case ev.LockUncertain() | ev.LockDenied() | ev.BatteryLow() | ev.CommandSettled() | ev.CursorCut():
            return "warn"
        case ev.DuplicateNoticed():
            return "warn"
        case ev.CommandResolved(reached=False):
            return "warn"
        case ev.HopBack() | ev.DeviceConnected():
            return "ok"
        case ev.CodeFailed() | ev.CodeMisused() | ev.CodeDelayed() | ev.CodeTampered():
            return code_tone(event)
        case ev.ClimateFailed() | ev.OverrideEnded() | ev.ThresholdExceeded() | ev.ThresholdCleared():
            return climate_tone(event)
        case EntranceChanged() | EntranceAudited() | AccessEditEnded():
            return access_tone(event)
        case _:
            return "quiet"


def order_words(command: Order) -> str:
    """Name what a command wants, to be followed by the device."""
    match command:
        case LockDoor():
            return "lock"
        case UnlockDoor():
            return "unlock"
        case EncodeCredential():
            return "write a card at"
        case SimulateKeypadCodeEntry():
            return "simulate a code at"
        case SimulateManualLock():
            return "simulate a hand at"
        case SimulateKeypadEdit():
            return "simulate a change of codes at"
        case SimulateConnection(connected=connected):
            return f"simulate the {'return' if connected else 'loss'} of"
        case SimulateHubConnection(connected=connected):
            return f"simulate the {'return' if connected else 'loss'} of the link to"
        case SimulateRemoval():
            return "simulate the removal of"
        case SimulateHvacModeAdjusted():
            return "simulate a hand at the knob of"
        case SimulateTemperatureReached(temperature_celsius=degrees):
            return f"simulate {words.celsius(degrees)} at"
        case _:
            assert_never(command)


def outcome_words(outcome: Outcome) -> str:
    """Say in a word or two how a command ended, and no more than is known."""
    match outcome.kind:
        case OutcomeKind.DONE:
            return "done"
        case OutcomeKind.SENT_UNCONFIRMED:
            return "sent, not confirmed"
        case OutcomeKind.REJECTED:
            return "refused"
        case OutcomeKind.UNSUPPORTED:
            return "not supported"
        case OutcomeKind.UNREACHABLE:
            return "not sent"
        case OutcomeKind.EXPIRED:
            return "expired, not sent"
        case _:
            assert_never(outcome.kind)


def _of_device(event: _DeviceEvent, scene: Scene) -> str:
    name = scene.device
    match event:
        case ev.DeviceFound(is_managed=is_managed):
            return f"{name} was found" + ("." if is_managed else "; it is not managed.")
        case ev.DeviceDescribed(device=device):
            version = device.description.firmware
            firmware = f" (firmware {plain(version, 40)})" if version else ""
            return f"{name} now describes itself differently{firmware}."
        case ev.DeviceRemoved(reason=reason):
            return f"{name} was removed: {plain(reason)}"
        case ev.DeviceConnected():
            return f"{name} answers."
        case ev.DeviceDisconnected(reason=reason):
            return f"{name} stopped answering: {plain(reason)}"
        case ev.DeviceEdited():
            return f"{name}{_edits(event)}{by(event.by, scene)}."
        case ev.DeviceReplaced(device=device):
            return f"{name} is now other hardware, {words.name(device.description.name)}{by(event.by, scene)}."
        case ev.DuplicateNoticed(other_name=other):
            return f"{name} and “{words.name(other)}” are the same hardware, connected in two ways."
        case ev.Tampered():
            return f"Somebody is at the housing of {name}."
        case _:
            assert_never(event)


def _edits(event: ev.DeviceEdited) -> str:
    edits: list[str] = []
    if event.nickname is None:
        edits.append(" lost its nickname")
    elif event.nickname is not msgspec.UNSET:
        edits.append(f" was named “{words.name(event.nickname)}”")
    if event.is_managed is not msgspec.UNSET:
        edits.append(" is now managed" if event.is_managed else " is no longer managed")
    if event.custom_metadata is not msgspec.UNSET:
        edits.append(" got new notes")
    return " and".join(edits) or " was edited"


def _of_lock(event: _LockEvent, scene: Scene) -> str:
    name = scene.device
    match event:
        case ev.LockChanged(locked=locked):
            return f"{name} was {'locked' if locked else 'unlocked'}{_how(event, scene)}{_with(event, scene)}."
        case ev.LockUncertain(jammed=True):
            return f"The bolt of {name} is jammed."
        case ev.LockUncertain():
            return f"{name} no longer knows where its bolt is."
        case ev.LockDenied(message=message):
            return f"Somebody was refused at {name}: {plain(message)}"
        case ev.DoorChanged(open=None):
            return f"{name} no longer knows whether its door is open."
        case ev.DoorChanged(open=is_open):
            return f"The door of {name} was {'opened' if is_open else 'closed'}."
        case _:
            assert_never(event)


def _how(event: ev.LockChanged, scene: Scene) -> str:
    order = None if event.request_id is None else scene.order(event.request_id)
    return _HOW[event.method] if order is None else f" by order of {scene.who(order.by)}"


def _with(event: ev.LockChanged, scene: Scene) -> str:
    if event.code_id is not None:
        return f" with {scene.code(event.code_id)}"
    return "" if event.user_slot is None else f" (slot {event.user_slot})"


def _of_reading(event: _ReadingEvent, scene: Scene) -> str:
    name = scene.device
    match event:
        case ev.BatteryChanged(level=level, status=status):
            return f"The battery of {name} is now {status} ({words.percent(level)})."
        case ev.BatteryLow(level=level):
            return f"The battery of {name} is low ({words.percent(level)}): change it soon."
        case _:
            assert_never(event)


def _of_command(event: _CommandEvent, scene: Scene) -> str:
    known = scene.order(event.request_id)
    match event:
        case ev.CommandAccepted(command=command):
            return f"{first_upper(scene.who(event.by))} ordered to {order_words(command)} {scene.device}."
        case ev.CommandStarted():
            return f"{_order(known, scene)}: on its way."
        case ev.CommandSettled(outcome=outcome):
            why = "" if outcome.kind is OutcomeKind.DONE else f" {plain(outcome.message)}"
            return f"{_order(known, scene)}: {outcome_words(outcome)}.{why}"
        case ev.CommandResolved(message=message):
            return f"{_order(known, scene)}: {_first_lower(plain(message))}"
        case _:
            assert_never(event)


def _order(known: CommandRecord | None, scene: Scene) -> str:
    if known is None:
        return f"An order to {scene.device}"
    return f"Order to {order_words(known.command)} {scene.device}"


def _of_hub(event: _HubEvent, scene: Scene) -> str:
    match event:
        case ev.HubStarted(version=version):
            return f"The hub started (version {plain(version, 40)})."
        case ev.AccountEdited():
            renamed = event.display_name is not msgspec.UNSET
            return f"{scene.link} was {'renamed' if renamed else 'annotated'}{by(event.by, scene)}."
        case ev.HopLost(hop=hop, reason=reason):
            return f"{scene.link} lost its {plain(hop, 40)}: {plain(reason)}"
        case ev.HopBack(away_seconds=away):
            return f"{scene.link} is connected" + ("." if away is None else f" again after {words.duration(away)}.")
        case ev.ActionStarted(action=action):
            return f"“{plain(action, 60)}” was started on {scene.link}{by(event.by, scene)}."
        case ev.ActionEnded(action=action, message=message):
            return f"“{plain(action, 60)}” on {scene.link} ended: {plain(message)}"
        case ev.KeyCreated(name=name, role=role):
            return f"A key “{words.name(name)}” with role {role} was made{by(event.by, scene)}."
        case ev.KeyRevoked(key_id=key_id):
            return f"The key {scene.who(key_id)} was taken back{by(event.by, scene)}."
        case ev.CursorCut(cursor=cursor, reason=reason):
            missed = words.count(event.last - event.first + 1, "event was", "events were")
            return f"{missed} passed over for {plain(cursor, 60)}: {plain(reason)}"
        case _:
            assert_never(event)


def _first_lower(text: str) -> str:
    return text[:1].lower() + text[1:]
