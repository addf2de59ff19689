"""`*/simulate/*`: the sandbox, on devices that live in the hub's own process."""

from typing import Annotated

import msgspec

from hubd.api import shapes
from hubd.api.devices import check_managed
from hubd.api.locks import order
from hubd.api.params import Params, Uuid
from hubd.api.route import ACT, Call, route
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


async def _done(call: Call, command: Command) -> shapes.Ok:
    attempt = (await order(call, command)).action_attempt
    if attempt.error is not None:
        raise RefusedError(attempt.error.type, attempt.error.message)
    return shapes.Ok()


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


ROUTES = [
    route("/devices/simulate/connect", ACT, connect, shapes.Ok, SimulateDevice, "operator"),
    route("/devices/simulate/disconnect", ACT, disconnect, shapes.Ok, SimulateDevice, "operator"),
    route("/devices/simulate/connect_to_hub", ACT, connect_to_hub, shapes.Ok, SimulateDevice, "operator"),
    route("/devices/simulate/disconnect_from_hub", ACT, disconnect_from_hub, shapes.Ok, SimulateDevice, "operator"),
    route("/devices/simulate/remove", ACT, remove, shapes.Ok, SimulateDevice, "operator"),
    route("/locks/simulate/keypad_code_entry", ACT, keypad_code_entry, shapes.AttemptAnswer, EnterCode, "operator"),
    route("/locks/simulate/manual_lock_via_keypad", ACT, manual_lock, shapes.AttemptAnswer, SimulateDevice, "operator"),
]
