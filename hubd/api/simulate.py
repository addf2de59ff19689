"""`*/simulate/*`: the sandbox, on devices that live in the hub's own process."""

from collections.abc import Set as AbstractSet
from typing import Annotated, Literal

import msgspec
from msgspec.structs import replace

from hubd.api import code_shapes, shapes
from hubd.api.code_lookup import projector
from hubd.api.connected_accounts import instance_of
from hubd.api.degree_params import Degrees, needed
from hubd.api.devices import check_managed, check_thermostat
from hubd.api.filters import plain_device
from hubd.api.locks import order
from hubd.api.params import Params, Text, Uuid
from hubd.api.route import ACT, Call, Handler, Route, route
from hubd.api.thermostats import with_points
from hubd.core.climate import limits
from hubd.model.capability import ThermostatCapability
from hubd.model.command import (
    Order,
    SimulateConnection,
    SimulateHubConnection,
    SimulateHvacModeAdjusted,
    SimulateKeypadCodeEntry,
    SimulateKeypadEdit,
    SimulateManualLock,
    SimulateRemoval,
    SimulateTemperatureReached,
)
from hubd.model.errors import RefusedError
from hubd.store.codes import CodeRecord
from hubd.store.records import DeviceRecord
from hubd.store.tables import View

READ_BACK_SECONDS = 5.0
"""How long the hub gets to read at the lock what somebody put in there."""

type Pin = Annotated[str, msgspec.Meta(min_length=1, max_length=20, pattern=r"^\d+$")]


class SimulateDevice(Params, frozen=True, kw_only=True):
    """Which device."""

    device_id: Uuid


class SimulateAccount(Params, frozen=True, kw_only=True):
    """Which driver instance."""

    connected_account_id: Uuid


class EnterCode(Params, frozen=True, kw_only=True):
    """Which lock, and what is typed."""

    device_id: Uuid
    code: Pin


class PutInCode(Params, frozen=True, kw_only=True):
    """At which lock, and what is put in; a lock keeps no names, so the hub takes this one."""

    device_id: Uuid
    code: Annotated[str, msgspec.Meta(min_length=4, max_length=8, pattern=r"^\d+$")]
    name: Text


class AdjustHvacMode(Params, frozen=True, kw_only=True):
    """At which thermostat, which mode, and its set-points; without them they stay."""

    device_id: Uuid
    hvac_mode: Literal["off", "cool", "heat", "heat_cool"]
    cooling_set_point_celsius: Degrees | None = None
    cooling_set_point_fahrenheit: Degrees | None = None
    heating_set_point_celsius: Degrees | None = None
    heating_set_point_fahrenheit: Degrees | None = None


class ReachTemperature(Params, frozen=True, kw_only=True):
    """At which thermostat, and how warm the room is then."""

    device_id: Uuid
    temperature_celsius: Degrees | None = None
    temperature_fahrenheit: Degrees | None = None


def _simulated(call: Call, device_id: str) -> tuple[DeviceRecord, dict[str, str]]:
    record = plain_device(call.hub, device_id.lower())
    if not record.device.description.capabilities.simulated:
        message = "Only devices of a virtual site can be simulated; this one is real."
        raise RefusedError("not_a_sandbox_device", message, device_id=device_id)
    names = {"device_id": record.device.device_id, "native_id": record.device.description.native_id}
    return record, names


def _as_ok(attempt: shapes.ActionAttempt) -> shapes.Ok:
    """Answer a simulation that has no attempt in Seam's schema. Raises `RefusedError` when it failed."""
    if attempt.error is not None:
        raise RefusedError(attempt.error.type, attempt.error.message)
    return shapes.Ok()


async def _done(call: Call, command: Order) -> shapes.Ok:
    return _as_ok((await order(call, command)).action_attempt)


def _sandbox(path: str, handler: Handler) -> Route:
    return route(path, ACT, handler, shapes.Ok, SimulateDevice, "operator", retell=_as_ok)


async def connect(call: Call, params: SimulateDevice) -> shapes.Ok:
    """Bring a simulated device back to its network."""
    return await _done(call, SimulateConnection(**_simulated(call, params.device_id)[1], connected=True))


async def disconnect(call: Call, params: SimulateDevice) -> shapes.Ok:
    """Take a simulated device off its network."""
    return await _done(call, SimulateConnection(**_simulated(call, params.device_id)[1], connected=False))


async def connect_to_hub(call: Call, params: SimulateDevice) -> shapes.Ok:
    """Bring back the hop before a simulated device."""
    return await _done(call, SimulateHubConnection(**_simulated(call, params.device_id)[1], connected=True))


async def disconnect_from_hub(call: Call, params: SimulateDevice) -> shapes.Ok:
    """Cut the hop before a simulated device."""
    return await _done(call, SimulateHubConnection(**_simulated(call, params.device_id)[1], connected=False))


async def remove(call: Call, params: SimulateDevice) -> shapes.Ok:
    """Exclude a simulated device from its network."""
    return await _done(call, SimulateRemoval(**_simulated(call, params.device_id)[1]))


async def keypad_code_entry(call: Call, params: EnterCode) -> shapes.AttemptAnswer:
    """Type a PIN at a simulated lock."""
    record, names = _simulated(call, params.device_id)
    check_managed(record, is_managed=True)
    return await order(call, SimulateKeypadCodeEntry(**names, pin_ref=call.hub.vault.seal(params.code)))


async def create_unmanaged_code(call: Call, params: PutInCode) -> code_shapes.UnmanagedAnswer:
    """Have somebody put in a code at a simulated lock, and answer with it once the hub has read it there."""
    hub = call.hub
    record, _ = _simulated(call, params.device_id)
    check_managed(record, is_managed=True)
    device_id, native_id = record.device.device_id, record.device.description.native_id
    known = {code.code_id for code in hub.codes.of(device_id)}
    edit = SimulateKeypadEdit(device_id=device_id, native_id=native_id, pin_ref=hub.vault.seal(params.code))
    await _done(replace(call, keeper=None), edit)  # a repeat is told the code, not how the order ended
    try:
        async with hub.clock.timeout(READ_BACK_SECONDS):
            found = await _appeared(call, device_id, params.code, known)
    except TimeoutError:
        message = f"The code is on the lock, but the hub has not read it there within {READ_BACK_SECONDS:g} s."
        raise RefusedError("code_not_read", message, device_id=device_id) from None

    def name_it(view: View) -> CodeRecord:
        named = replace(view.code(found.code_id) or found, name=params.name)
        view.put_code(named)
        return named

    named = await hub.journal.transact(name_it)
    return code_shapes.UnmanagedAnswer(access_code=projector(call).unmanaged(named))


async def _appeared(call: Call, device_id: str, pin: str, known: AbstractSet[str]) -> CodeRecord:
    """Wait for an unmanaged code that was not known before, with this PIN unless the lock tells none."""
    hub = call.hub
    while True:
        head = hub.journal.head
        fitting = {code.code_id for code in hub.codes.with_pin(device_id, pin)}
        for code in hub.codes.of(device_id):
            is_new = not code.is_managed and code.code_id not in known
            if is_new and (code.pin is None or code.code_id in fitting):
                return code
        await hub.journal.wait_beyond(head)


async def manual_lock(call: Call, params: SimulateDevice) -> shapes.AttemptAnswer:
    """Lock a simulated lock by hand."""
    record, names = _simulated(call, params.device_id)
    check_managed(record, is_managed=True)
    return await order(call, SimulateManualLock(**names))


async def adjust_hvac_mode(call: Call, params: AdjustHvacMode) -> shapes.Ok:
    """Have somebody turn the knob of a simulated thermostat, within what it can be set to."""
    record, names, capability = _thermostat(call, params.device_id)
    setting = limits.rounded(with_points(params, params.hvac_mode), capability)
    found = limits.problem(setting, capability, record.state.climate)
    if found is not None:
        raise RefusedError(found[0], found[1], device_id=record.device.device_id)
    return await _done(call, SimulateHvacModeAdjusted(**names, setting=setting))


async def reach_temperature(call: Call, params: ReachTemperature) -> shapes.Ok:
    """Have the room of a simulated thermostat get so warm, or so cold."""
    _, names, _ = _thermostat(call, params.device_id)
    reached = needed("temperature", params.temperature_celsius, params.temperature_fahrenheit)
    return await _done(call, SimulateTemperatureReached(**names, temperature_celsius=reached))


def _thermostat(call: Call, device_id: str) -> tuple[DeviceRecord, dict[str, str], ThermostatCapability]:
    record, names = _simulated(call, device_id)
    check_managed(record, is_managed=True)
    return record, names, check_thermostat(record)


async def disconnect_account(call: Call, params: SimulateAccount) -> shapes.Ok:
    """Cut the hop before all devices of a simulated account, until one of them is connected to its hub again."""
    name = instance_of(call, params.connected_account_id)
    if not call.hub.instances[name].manifest.is_simulator:
        message = "Only the account of a virtual site can be disconnected by a sandbox call; this one is real."
        raise RefusedError("not_a_sandbox_account", message, connected_account_id=params.connected_account_id)
    own = [r for r in call.hub.devices.values() if r.device.instance == name and r.removed_at is None]
    if not own:
        raise RefusedError("account_has_no_devices", "The account has no device through which it could be reached.")
    names = {"device_id": own[0].device.device_id, "native_id": own[0].device.description.native_id}
    return await _done(call, SimulateHubConnection(**names, connected=False))


ROUTES = [
    _sandbox("/devices/simulate/connect", connect),
    _sandbox("/devices/simulate/disconnect", disconnect),
    _sandbox("/devices/simulate/connect_to_hub", connect_to_hub),
    _sandbox("/devices/simulate/disconnect_from_hub", disconnect_from_hub),
    _sandbox("/devices/simulate/remove", remove),
    route(
        "/connected_accounts/simulate/disconnect",
        ACT,
        disconnect_account,
        shapes.Ok,
        SimulateAccount,
        "operator",
        retell=_as_ok,
    ),
    route(
        "/access_codes/simulate/create_unmanaged_access_code",
        ACT,
        create_unmanaged_code,
        code_shapes.UnmanagedAnswer,
        PutInCode,
        "operator",
    ),
    route(
        "/thermostats/simulate/hvac_mode_adjusted",
        ACT,
        adjust_hvac_mode,
        shapes.Ok,
        AdjustHvacMode,
        "operator",
        retell=_as_ok,
    ),
    route(
        "/thermostats/simulate/temperature_reached",
        ACT,
        reach_temperature,
        shapes.Ok,
        ReachTemperature,
        "operator",
        retell=_as_ok,
    ),
    route("/locks/simulate/keypad_code_entry", ACT, keypad_code_entry, shapes.AttemptAnswer, EnterCode, "operator"),
    route("/locks/simulate/manual_lock_via_keypad", ACT, manual_lock, shapes.AttemptAnswer, SimulateDevice, "operator"),
]
