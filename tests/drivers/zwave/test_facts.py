import math

import pytest
from hubd_drivers.zwave import facts as f
from hypothesis import given

from tests.drivers.zwave.fakes import dump, node, value
from tests.drivers.zwave.strategies import JSON, nodes


def test_a_node_is_read() -> None:
    config = {"manufacturer": "Allegion", "label": "BE469ZP", "description": "Touchscreen Deadbolt"}
    facts = node(5, value(98, "currentMode", 255), classes={98: 2}, deviceConfig=config, firmwareVersion="0.11")
    assert (facts.node_id, facts.manufacturer, facts.label, facts.firmware) == (5, "Allegion", "BE469ZP", "0.11")
    assert facts.get(f.ValueId(98, 0, "currentMode")) == 255
    assert facts.supports(98)
    assert not facts.supports(118)
    assert facts.command_classes[98] == 2


def test_pins_are_never_kept() -> None:
    raw = dump(2, value(99, "userCode", "4711", key=1, secret=True), value(98, "currentMode", 0))
    assert "4711" not in repr(f.read_node(raw))


def test_unassigned_maker_numbers_are_no_makers() -> None:
    assert node(2, manufacturer="_RESERVED_").manufacturer is None
    assert node(2, manufacturer="Kwikset").manufacturer == "Kwikset"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [("  Front \n door ", "Front door"), ("", None), ("\x00", None), (7, None), ("a" * 500, "a" * 120)],
)
def test_text(raw: object, expected: str | None) -> None:
    assert f.text(raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"), [(5, 5), (True, None), ("5", None), (-1, None), (256, None), (5.0, None), (None, None)]
)
def test_integer(raw: object, expected: int | None) -> None:
    assert f.integer(raw, 0, 255) == expected


@pytest.mark.parametrize(
    ("raw", "expected"), [(21.5, 21.5), (math.nan, None), (math.inf, None), (10**400, None), (True, None), ("1", None)]
)
def test_number(raw: object, expected: float | None) -> None:
    assert f.number(raw, 0, 100) == expected


def test_states_keep_the_device_s_order() -> None:
    assert f.states({"states": {"3": "Auto", "0": "Off", "x": "?", "-1": "?"}}) == [3, 0]
    assert f.states({"states": [1, 2]}) == []


def test_values_and_metadata_are_replaced_not_changed() -> None:
    before = node(2, value(98, "currentMode", 0, min=0))
    current = f.ValueId(98, 0, "currentMode")
    after = before.with_value(current, 255).with_metadata(current, {"min": 1})
    assert (before.get(current), after.get(current)) == (0, 255)
    assert after.values[current].metadata == {"min": 1}
    assert before.with_value(f.ValueId(98, 0, "doorStatus"), "open").get(f.ValueId(98, 0, "doorStatus")) == "open"


@pytest.mark.parametrize(("given", "name"), [("Front  door", "Front door"), ("", None), (7, None)])
def test_a_name_that_is_given_to_a_node_is_its_name_at_once(given: object, name: str | None) -> None:
    facts = node(2).with_value(f.ValueId(f.NAMING, 0, "name"), given)
    assert (facts.name, facts.location) == (name, None)
    assert facts.with_value(f.ValueId(f.NAMING, 0, "location"), "Hall").location == "Hall"


def test_what_zwave_js_counts_about_a_node() -> None:
    route = {"repeaters": [7, 12, "?"], "rssi": -71, "protocolDataRate": 3}
    facts = node(
        2, lastSeen="2026-11-22T05:00:00.000Z", statistics={"commandsTX": 9, "rtt": 41.5, "rssi": -60, "lwr": route}
    )
    found = facts.statistics
    assert (found.sent, found.unsent, found.round_trip_ms) == (9, 0, 41.5)
    assert (found.signal_dbm, found.repeaters) == (-71, (7, 12))
    assert found.heard_at is not None
    assert found.heard_at.isoformat() == "2026-11-22T05:00:00+00:00"


@pytest.mark.parametrize("rssi", [125, 126, 127, 255, -200, None, "-60", math.nan])
def test_a_strength_that_was_not_measured_is_not_known(rssi: object) -> None:
    assert f.read_statistics({"rssi": rssi, "lwr": {"rssi": rssi}}).signal_dbm is None


@pytest.mark.parametrize("raw", [None, "", "yesterday", "2026-11-22T05:00:00", 1_760_000_000])
def test_what_is_no_moment_is_none(raw: object) -> None:
    assert f.moment(raw) is None


@given(JSON)
def test_no_statistics_are_too_odd(raw: object) -> None:
    assert f.read_statistics(raw).sent >= 0


@given(nodes())
def test_whatever_a_node_says_is_read(raw: object) -> None:
    facts = f.read_node(raw)
    assert facts is not None
    assert all(found.command_class in f.KEPT for found in facts.values)


@given(JSON)
def test_what_is_no_node_is_none(raw: object) -> None:
    for read in (f.read_node, f.read_value, f.value_id):
        found = read(raw)
        assert found is None or type(found).__module__ == f.__name__
