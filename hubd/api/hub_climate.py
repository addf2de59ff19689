"""`/hub/thermostats/history`: how a room was, for a chart: temperature, humidity, set-points and what ran."""

from datetime import datetime, timedelta
from typing import Annotated, Final

import msgspec

from hubd.api import shapes
from hubd.api.climate_project import fahrenheit
from hubd.api.devices import check_thermostat
from hubd.api.events import instant
from hubd.api.params import Params, Text, Uuid
from hubd.api.route import READ, Call, Route, route
from hubd.core.climate import recorder
from hubd.core.climate.recorder import Point
from hubd.model.capability import ThermostatCapability
from hubd.model.errors import InvalidInputError, NotFoundError
from hubd.store.records import moment

MAX_POINTS: Final = 5000
DAY: Final = timedelta(hours=24)


class ClimatePoint(shapes.Shape, frozen=True, kw_only=True):
    """How a room was; it holds until the next point, at most for 70 minutes. Null: not known, or not in force."""

    at: datetime
    temperature_celsius: float | None
    temperature_fahrenheit: float | None
    relative_humidity: float | None
    heating_set_point_celsius: float | None
    heating_set_point_fahrenheit: float | None
    cooling_set_point_celsius: float | None
    cooling_set_point_fahrenheit: float | None
    is_heating: bool | None
    is_cooling: bool | None
    is_fan_running: bool | None


class ClimateHistoryAnswer(shapes.Ok, frozen=True, kw_only=True):
    """Oldest first."""

    device_id: str
    since: datetime
    until: datetime
    history: list[ClimatePoint]


class GetClimateHistory(Params, frozen=True, kw_only=True):
    """Of which thermostat, from when to when, and at most how many points."""

    device_id: Uuid
    since: Text | None = None
    until: Text | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_POINTS)] = 1000


async def get_history(call: Call, params: GetClimateHistory) -> ClimateHistoryAnswer:
    """Return how the room of a thermostat was, oldest first: of the last 24 hours, or of the time that is given."""
    hub, device_id = call.hub, params.device_id.lower()
    record = hub.devices.get(device_id)
    if record is None:
        raise NotFoundError("device_not_found", "There is no such device on this hub.", device_id=device_id)
    capability = check_thermostat(record)
    until = hub.sense.now().at if params.until is None else moment(instant("until", params.until))
    since = _before(until) if params.since is None else moment(instant("since", params.since))
    if since >= until:
        raise InvalidInputError("since", "must be before until")
    found = await recorder.points(hub.journal.database, device_id, since, until, params.limit)
    history = [_shape(point, capability) for point in found]
    return ClimateHistoryAnswer(device_id=device_id, since=since, until=until, history=history)


def _before(until: datetime) -> datetime:
    try:
        return until - DAY
    except OverflowError:
        raise InvalidInputError("until", "is too long ago") from None


def _shape(point: Point, capability: ThermostatCapability) -> ClimatePoint:
    def shown(celsius: float | None) -> float | None:
        return None if celsius is None else fahrenheit(celsius, capability)

    return ClimatePoint(
        at=point.at,
        temperature_celsius=point.temperature_celsius,
        temperature_fahrenheit=shown(point.temperature_celsius),
        relative_humidity=point.relative_humidity,
        heating_set_point_celsius=point.heating_set_point_celsius,
        heating_set_point_fahrenheit=shown(point.heating_set_point_celsius),
        cooling_set_point_celsius=point.cooling_set_point_celsius,
        cooling_set_point_fahrenheit=shown(point.cooling_set_point_celsius),
        is_heating=point.is_heating,
        is_cooling=point.is_cooling,
        is_fan_running=point.is_fan_running,
    )


ROUTES: list[Route] = [
    route("/hub/thermostats/history", READ, get_history, ClimateHistoryAnswer, GetClimateHistory),
]
