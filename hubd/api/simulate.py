"""`*/simulate/*`: the sandbox, on devices that live in the hub's own process."""

from typing import Annotated

import msgspec

from hubd.api import shapes
from hubd.api.connected_accounts import instance_of
from hubd.api.devices import check_managed
from hubd.api.locks import order
from hubd.api.params import Params, Uuid
from hubd.api.route import ACT, Call, Handler, Route, route
from hubd.model.command import (
    Command,
    SimulateConnection,
    SimulateHubConnection,
    SimulateKeypadCodeEntry,
    SimulateManualLock,
    SimulateRemoval,
)
from hubd.model.errors import RefusedError
from hubd.store.records import DeviceRecord

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


def _simulated(call: Call, device_id: str) -> tuple[DeviceRecord, dict[str, str]]:
    record = call.hub.present(device_id.lower())
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


async def _done(call: Call, command: Command) -> shapes.Ok:
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


async def manual_lock(call: Call, params: SimulateDevice) -> shapes.AttemptAnswer:
    """Lock a simulated lock by hand."""
    record, names = _simulated(call, params.device_id)
    check_managed(record, is_managed=True)
    return await order(call, SimulateManualLock(**names))


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
    route("/locks/simulate/keypad_code_entry", ACT, keypad_code_entry, shapes.AttemptAnswer, EnterCode, "operator"),
    route("/locks/simulate/manual_lock_via_keypad", ACT, manual_lock, shapes.AttemptAnswer, SimulateDevice, "operator"),
]
