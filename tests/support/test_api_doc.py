"""docs/api.md names every field and the right verbs, and nothing that Seam's schema does not have."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.seam_schema import EVENT_EXTENSION

REPOSITORY = Path(__file__).resolve().parents[2]
SCHEMAS = json.loads((REPOSITORY / "tests/fixtures/seam/openapi.json").read_text("utf-8"))["components"]["schemas"]
LINES = (REPOSITORY / "docs/api.md").read_text("utf-8").splitlines()
PROVIDER_METADATA = re.compile(r"(?!.*_credential_service_)\w+_metadata")


def first_cells() -> set[str]:
    """Return every name in the first column of a table."""
    rows = (line.split("|")[1] for line in LINES if line.startswith("| `"))
    return {name for cell in rows for name in re.findall(r"`([^`]+)`", cell)}


def parts(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the objects that an `allOf` tree joins."""
    if "allOf" in schema:
        for inner in schema["allOf"]:
            yield from parts(inner)
    else:
        yield schema


def device_fields() -> tuple[set[str], set[str]]:
    """Return the names in `device` and `device.properties`, and apart from them the providers' metadata."""
    inner = set(device_properties())
    metadata = {name for name in inner if PROVIDER_METADATA.fullmatch(name)}
    return set(SCHEMAS["device"]["properties"]) | inner - metadata, metadata


def device_properties() -> dict[str, Any]:
    """Return the members of `device.properties` by name."""
    found: dict[str, Any] = {}
    for part in parts(SCHEMAS["device"]["properties"]["properties"]):
        found |= part["properties"]
    return found


def event_fields() -> set[str]:
    """Return what all events have in common, and what is about their account, device and customer."""
    common = set.intersection(*(set(variant["properties"]) for variant in SCHEMAS["event"]["oneOf"]))
    return common | {
        "connected_account_custom_metadata",
        "connected_account_id",
        "customer_key",
        "device_custom_metadata",
        "device_id",
    }


def code_fields() -> set[str]:
    """Return the names in `access_code` and `unmanaged_access_code`."""
    return {name for kind in ("access_code", "unmanaged_access_code") for name in SCHEMAS[kind]["properties"]}


def climate_fields() -> set[str]:
    """Return the names in what the hub keeps of a thermostat: presets, schedules and daily programs."""
    presets = device_properties()["available_climate_presets"]["items"]["properties"]
    kinds = ("thermostat_schedule", "thermostat_daily_program")
    return set(presets) | {name for kind in kinds for name in SCHEMAS[kind]["properties"]}


def acs_fields() -> set[str]:
    """Return the names in the parts of access control systems."""
    kinds = ("acs_system", "acs_entrance", "acs_user", "acs_access_group", "acs_credential", "acs_encoder")
    return {name for kind in kinds for name in SCHEMAS[kind]["properties"]}


def acs_events() -> set[str]:
    """Return the event types of access control systems, all of which happen."""
    types = (variant["properties"]["event_type"]["enum"][0] for variant in SCHEMAS["event"]["oneOf"])
    return {name for name in types if name.startswith("acs_")}


def code_events() -> set[str]:
    """Return the event types of access codes: Seam's and the hub's own, without the one that never happens."""
    types = {variant["properties"]["event_type"]["enum"][0] for variant in SCHEMAS["event"]["oneOf"]}
    official = {name for name in types if name.startswith("access_code.")}
    return official - {"access_code.unmanaged.failed_to_convert_to_managed"} | {EVENT_EXTENSION}


def thermostat_events() -> set[str]:
    """Return the event types of thermostats, all of which happen."""
    types = (variant["properties"]["event_type"]["enum"][0] for variant in SCHEMAS["event"]["oneOf"])
    return {name for name in types if name.startswith("thermostat.")}


def test_every_field_has_its_row() -> None:
    fields, metadata = device_fields()
    names = {name for name in first_cells() if not name.startswith("/")}
    known = fields | event_fields() | code_fields() | climate_fields() | acs_fields()
    assert {name for name in names if "." not in name} == known
    assert {name for name in names if "." in name} == code_events()
    assert thermostat_events() <= {name for line in LINES for name in re.findall(r"`(thermostat\.\w+)`", line)}
    assert acs_events() <= {name for line in LINES for name in re.findall(r"`(acs_\w+\.\w+)`", line)}
    assert f"for {len(metadata)} of Seam's providers" in " ".join(LINES)


def test_every_route_is_told_with_its_verbs() -> None:
    official = json.loads((REPOSITORY / "hubd/api/seam_routes.json").read_text("utf-8"))
    rows = [re.match(r"\| `(/\S+)` \| ([A-Z ]+) \|", line) for line in LINES]
    told = {row[1]: row[2].split() for row in rows if row}
    assert told
    assert told == {route: official.get(route) for route in told}
