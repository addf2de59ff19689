from datetime import timedelta

from hubd.core.climate.moving import move_plan
from hubd.model import ClimateSetting
from hubd.store.climate import Base, Override, Pending, Preset, ThermostatRecord, Thresholds
from tests.hubd.core.climate.plans import DAY, ECO, PRESETS, kept, schedule
from tests.hubd.core.climate.scene import Scene
from tests.support.clock import NOON

HOUR = timedelta(hours=1)
OFF = ClimateSetting("off")


def test_what_was_planned_stays_with_the_id_and_what_was_set_by_hand_goes() -> None:
    old = kept(
        fallback_key="eco",
        programs=(DAY,),
        week=("day",) * 7,
        thresholds=Thresholds(16.0, None, NOON),
        base=Base("fallback", None, "eco", None, ECO),
        override=Override(OFF, "api", NOON),
        is_applied=False,
        pending=(Pending("old", OFF),),
    )
    scene = Scene(old)
    new = ThermostatRecord("b", presets=(Preset("x", OFF),), pending=(Pending("new", OFF),))
    scene.tables.put_thermostat(new)
    stay = schedule("s", "home", NOON, NOON + HOUR)
    scene.tables.put_schedule("s", stay)
    scene.tables.put_schedule("t", schedule("t", "x", NOON, NOON + HOUR).__replace__(device_id="b"))
    scene.transact(lambda view: move_plan(view, "a", "b"))
    assert scene.record == kept(
        fallback_key="eco", programs=(DAY,), week=("day",) * 7, thresholds=Thresholds(16.0, None)
    )
    assert scene.record.presets == PRESETS
    assert scene.tables.thermostat("b") == ThermostatRecord("b")
    assert dict(scene.tables.schedules) == {"s": stay}
    assert [(parameters[1], parameters[3]) for _, parameters in scene.statements] == [
        ("device_replaced", "old"),
        ("device_replaced", "new"),
    ]
