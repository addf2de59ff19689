"""What is to be done about one thermostat so that it is as it should be. Pure.

The first step of a plan is done, what came of it is recorded, and the plan is made anew from that.
"""

from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

from hubd.core.climate import limits, rules
from hubd.core.lanes import Priority
from hubd.model.capability import ThermostatCapability
from hubd.model.climate import ClimateSetting
from hubd.model.state import Climate
from hubd.store.climate import ThermostatRecord

LONGEST_REST: Final = timedelta(seconds=rules.PUT_BACK[-1])
"""After a failure, or a hand that is not allowed; who rests for longer did so by a clock that was wrong."""

type HoldCode = Literal["retry_later", "setting_not_possible"]


class Step(msgspec.Struct, frozen=True):
    """One exchange with a thermostat; an empty setting only asks it how it stands."""

    rank: Priority
    setting: ClimateSetting = ClimateSetting()


class Plan(msgspec.Struct, frozen=True):
    """The step that is due, or why there is none, and when to look again."""

    step: Step | None = None
    hold: HoldCode | None = None
    message: str = ""
    wake_at: datetime | None = None


def plan(
    record: ThermostatRecord,
    climate: Climate | None,
    capability: ThermostatCapability,
    at: datetime,
    *,
    is_unsure: bool = False,
    is_heard: bool = False,
) -> Plan:
    """Return what is to be done at an instant.

    `is_unsure`: it is not known what the last command did. `is_heard`: the device, which did not answer, does again.
    """
    if record.is_applied:
        return Plan()
    if is_unsure:
        return Plan(Step(Priority.START))
    asked = ClimateSetting()
    for pending in record.pending:
        asked = pending.setting.over(asked)
    wanted = limits.rounded(record.in_force, capability)
    missing = asked.over(wanted.missing(climate, capability))
    setting = limits.rounded(missing, capability)
    found = limits.problem(setting, capability, climate)
    if found is not None:
        return Plan(hold="setting_not_possible", message=found[1])
    trouble = record.trouble
    is_resting = trouble is not None and timedelta(0) < trouble.retry_at - at <= LONGEST_REST
    if trouble is not None and is_resting and not (is_heard and trouble.code != rules.CONTESTED):
        return Plan(hold="retry_later", message=trouble.message, wake_at=trouble.retry_at)
    if not setting:
        return Plan(Step(Priority.PRELOAD))
    return Plan(Step(Priority.START if record.pending else Priority.PRELOAD, setting))
