"""The attempts to set a thermostat or to push a program: pending until the device is as asked, or will not be.

A setting is brought to its device for as long as it takes. So an attempt is an error also while the last try has
failed, or none can be made, though the hub goes on; a later success makes a success of it.
"""

from hubd.api.climate_hindrance import Hindrance, hindrance
from hubd.api.envelope import answer
from hubd.api.route import Call, as_attempt
from hubd.api.shapes import ActionAttempt, AttemptAnswer, AttemptError, Stages
from hubd.core.climate.attempts import Attempt
from hubd.core.climate.desk import Also
from hubd.core.hub import Hub
from hubd.model.errors import StoreError
from hubd.store.climate import AttemptAction
from hubd.store.records import micros, moment
from hubd.store.tables import View


def shape(attempt: Attempt, why: Hindrance | None = None) -> ActionAttempt:
    """Build `action_attempt`; `why` one that has not ended does not get on."""
    settled_at = None if attempt.ended_at is None else moment(attempt.ended_at)
    error = None if attempt.error is None else AttemptError(type=attempt.error, message=attempt.message or "")
    if settled_at is None and why is not None:
        error = AttemptError(type=why.code, message=why.message)
    is_success = settled_at is not None and error is None
    return ActionAttempt(
        action_attempt_id=attempt.attempt_id,
        action_type=attempt.action,
        status="success" if is_success else "pending" if error is None else "error",
        result={} if is_success else None,
        error=error,
        stages=Stages(accepted_at=moment(attempt.at), deadline=None, settled_at=settled_at),
    )


def shown(hub: Hub, attempt: Attempt) -> ActionAttempt:
    """Build `action_attempt` as its thermostat stands now."""
    record = hub.devices.get(attempt.device_id)
    waits = any(one.attempt_id == attempt.attempt_id for one in hub.thermostats.get(attempt.device_id).pending)
    return shape(attempt, hindrance(hub, record) if waits and record is not None else None)


def keep(call: Call, device_id: str, action: AttemptAction, *, is_over: bool = False) -> Also:
    """Return what keeps the answer to an `Idempotency-Key` in the transaction of a wish."""

    def told(view: View, attempt_id: str) -> None:
        if call.keeper is not None:
            now = micros(view.now)
            attempt = Attempt(attempt_id, device_id, action, now, now if is_over else None)
            call.keeper.answer(view, answer(as_attempt(shape(attempt))).body)

    return told


async def answered(call: Call, attempt_id: str) -> AttemptAnswer:
    """Answer with an attempt as it is now. Raises `StoreError`."""
    attempt = await call.hub.thermostats.attempt(attempt_id)
    if attempt is None:
        raise StoreError("command_lost", "The call was accepted but the record of it cannot be read.")
    return as_attempt(shown(call.hub, attempt))


async def held(call: Call, device_id: str, attempt_id: str) -> AttemptAnswer:
    """Hold a call until its device is as asked, or fails, ten seconds at most, and answer with the attempt.

    A device that cannot be reached is not waited for.
    """
    if call.hub.is_reachable(call.hub.present(device_id)):
        await call.hub.thermostats.settle(device_id, attempt_id, call.hold_seconds)
    return await answered(call, attempt_id)
