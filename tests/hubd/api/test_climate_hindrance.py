from datetime import timedelta

from msgspec.structs import replace

from hubd.api.climate_hindrance import Hindrance, hindrance
from hubd.model.climate import ClimateSetting
from hubd.store.climate import Base, Override, ThermostatRecord
from hubd.store.codes import Trouble
from tests.hubd.api.climate import with_presets
from tests.hubd.api.harness import Api

WARM = ClimateSetting("heat", heating_set_point_celsius=22.0)
IMPOSSIBLE = ClimateSetting("eco")


def why(api: Api, kept: ThermostatRecord, *, is_managed: bool = True) -> Hindrance | None:
    """Ask in one step, before the hub looks at the thermostat again."""
    api.hub.journal.tables.put_thermostat(kept)
    return hindrance(api.hub, replace(api.hub.devices[kept.device_id], is_managed=is_managed))


async def test_what_hinders_a_thermostat(api: Api) -> None:
    device_id = await with_presets(api)
    now = api.clock.now()
    base = Base("schedule", "s", "away", now - timedelta(hours=1), IMPOSSIBLE)
    kept = ThermostatRecord(device_id, base=base, is_applied=False)
    held = why(api, kept)
    assert held is not None
    assert (held.code, held.since) == ("setting_not_possible", base.since)
    assert "eco" in held.message
    tried = replace(kept, trouble=Trouble("no_answer", "It did not answer.", now, 1, now))
    assert why(api, tried) == Hindrance("no_answer", "It did not answer.", now)
    assert why(api, tried, is_managed=False) is None
    assert why(api, replace(tried, is_applied=True)) is None
    assert why(api, replace(kept, base=replace(base, setting=WARM))) is None, "it is on its way"


async def test_since_when(api: Api) -> None:
    device_id = await with_presets(api)
    now = api.clock.now()
    kept = ThermostatRecord(device_id, base=Base("fallback", None, "away", None, IMPOSSIBLE), is_applied=False)
    held = why(api, kept)
    assert held is not None
    assert held.since == api.hub.devices[device_id].found_at
    held = why(api, replace(kept, override=Override(IMPOSSIBLE, "api", now)))
    assert held is not None
    assert held.since == now
