"""What zwave-js knows of the network and of single devices, for people to read."""

from typing import Final

from hubd.driver import ActionError, ActionResult, Arguments, Fact, Progress
from hubd_drivers.zwave.care import keys
from hubd_drivers.zwave.care.network import Network
from hubd_drivers.zwave.facts import (
    STATUS_ALIVE,
    STATUS_ASLEEP,
    STATUS_AWAKE,
    STATUS_DEAD,
    Json,
    integer,
    items,
    mapping,
    read_node,
    read_statistics,
    text,
)
from hubd_drivers.zwave.identity import home

_STATUS: Final = {STATUS_ALIVE: "alive", STATUS_ASLEEP: "asleep", STATUS_AWAKE: "awake", STATUS_DEAD: "dead"}
_REGIONS: Final = {
    0: "Europe",
    1: "USA",
    2: "Australia/New Zealand",
    3: "Hong Kong",
    5: "India",
    6: "Israel",
    7: "Russia",
    8: "China",
    9: "USA with Long Range",
    11: "Europe with Long Range",
    32: "Japan",
    33: "Korea",
    255: "Europe",
}
"""`RFRegion` of zwave-js."""


async def statistics(network: Network, native_id: str | None, _: Arguments, progress: Progress) -> ActionResult:
    """Show how zwave-js gets on with one device."""
    device = network.device(native_id)
    progress.say("The statistics are read.")
    state = await network.state(device.node_id)
    raw = mapping(state.get("statistics"))
    facts = {**_row(network, device.node_id, state), **_counts(raw), "next_route": _route(raw.get("nlwr"))}
    facts["neighbors"] = await _neighbors(network, device.node_id)
    known = device.description
    reached = f"reached {facts['route']}" if facts["route"] else "its route is not known yet"
    message = f"{known.name} is node {device.node_id}, {reached}."
    return ActionResult(message=message, facts=facts)


async def show(network: Network, _: Arguments, progress: Progress) -> ActionResult:
    """Show the stick and all its nodes."""
    answer = await network.command("controller.get_state")
    stick = mapping(answer.get("state"))
    rows: list[dict[str, Fact]] = []
    for node_id in sorted(network.node_ids):
        progress.say(f"Node {node_id} is read.", share=len(rows) / len(network.node_ids))
        rows.append(_row(network, node_id, await network.state(node_id)))
    facts: dict[str, Fact] = {
        "home_id": home(network.home_id),
        "firmware": text(stick.get("firmwareVersion")),
        "sdk": text(stick.get("sdkVersion")),
        "region": _REGIONS.get(integer(stick.get("rfRegion"), high=255) or -1),
        "nodes": len(rows),
    }
    dead = sum(1 for row in rows if row["status"] == "dead")
    message = f"{len(rows)} nodes, {dead} of them dead." if dead else f"{len(rows)} nodes, none of them dead."
    return ActionResult(message=message, facts=facts, table=tuple(rows))


def _row(network: Network, node_id: int, state: Json) -> dict[str, Fact]:
    facts, told = read_node(state), read_statistics(state.get("statistics"))
    security = integer(state.get("highestSecurityClass"), low=keys.UNENCRYPTED, high=keys.S0)
    heard_at = told.heard_at if facts is None else facts.statistics.heard_at
    return {
        "node_id": node_id,
        "name": network.name(node_id),
        "model": None if facts is None else " ".join(filter(None, (facts.manufacturer, facts.label))) or None,
        "firmware": None if facts is None else facts.firmware,
        "status": "not known" if facts is None else _STATUS.get(facts.status, "not known"),
        "interview": None if facts is None else facts.stage,
        "security": keys.name_of(security),
        "route": _route(mapping(state.get("statistics")).get("lwr")),
        "signal_dbm": told.signal_dbm,
        "round_trip_ms": None if told.round_trip_ms is None else round(told.round_trip_ms),
        "last_heard": None if heard_at is None else heard_at.isoformat(timespec="seconds"),
    }


def _counts(raw: Json) -> dict[str, Fact]:
    names = {
        "commands_sent": "commandsTX",
        "commands_received": "commandsRX",
        "not_acknowledged": "commandsDroppedTX",
        "not_understood": "commandsDroppedRX",
        "not_answered": "timeoutResponse",
    }
    return {name: integer(raw.get(key)) for name, key in names.items()}


def _route(raw: object) -> str | None:
    """Return a route in words; None where the stick reports none."""
    if not isinstance(raw, dict):
        return None
    repeaters = [str(one) for node in items(raw.get("repeaters")) if (one := integer(node, low=1)) is not None]
    return f"via {', '.join(repeaters)}" if repeaters else "directly"


async def _neighbors(network: Network, node_id: int) -> str | None:
    try:
        answer = await network.command("controller.get_node_neighbors", nodeId=node_id)
    except ActionError:
        return None  # sticks of some generations do not tell, and a node of Long Range has none
    found = [one for raw in items(answer.get("neighbors")) if (one := integer(raw, low=1)) is not None]
    return ", ".join("stick" if one == network.own_node_id else str(one) for one in found) or "none"
