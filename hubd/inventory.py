"""`hubd devices`: what is on the site, and what waits on a network to become a device."""

import argparse
import json
from datetime import datetime
from typing import Any

from hubd.client import Client
from hubd.terminal import plain

DONE = 0

ACCESS_KINDS = {"entrance", "encoder"}

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


async def devices(client: Client, arguments: argparse.Namespace) -> int:
    """Print the devices of the running hub."""
    site = await client.call("/hub/site")
    waiting = [
        one | {"instance": instance["instance"]} for instance in site["instances"] for one in instance["waiting"]
    ]
    if arguments.long:
        found = (await client.call("/hub/devices/list"))["devices"]
        data: Any = {"devices": found, "waiting": waiting}
        lines = table([_long(device, datetime.fromisoformat(site["now"])) for device in found])
    else:
        data = found = [*await _seams(client), *await _access(client)]
        width = max((len(device["display_name"]) for device in found), default=0)
        lines = [_line(device, width) for device in found]
    lines += [f"waiting: {one['name']} ({one['instance']}): {one['reason']}" for one in waiting]
    lines += [
        f"look at: {instance['instance']}: {one['message']} {one['remedy']}".rstrip()
        for instance in site["instances"]
        for one in instance["cautions"]
    ]
    for line in [json.dumps(data)] if arguments.json else map(plain, lines):
        print(line)
    return DONE


async def _seams(client: Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for path in ("/devices/list", "/devices/unmanaged/list"):
        cursor: str | None = None
        while True:
            page = await client.call(path, page_cursor=cursor)
            found += page["devices"]
            cursor = page["pagination"]["next_page_cursor"]
            if cursor is None:
                break
    return found


async def entrances(client: Client) -> list[dict[str, Any]]:
    """Return the managed doors of access control systems."""
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = await client.call("/acs/entrances/list", page_cursor=cursor)
        found += page["acs_entrances"]
        cursor = page["pagination"]["next_page_cursor"]
        if cursor is None:
            return found


async def _access(client: Client) -> list[dict[str, Any]]:
    """Return doors and encoders of access control systems, managed or not, with the members of a device."""
    known = (await client.call("/hub/devices/list"))["devices"]
    return [
        {
            "device_id": one["device_id"],
            "device_type": one["device_type"],
            "display_name": one["name"],
            "is_managed": one["is_managed"],
            "properties": {"name": one["name"], "online": one["online"]},
            "errors": [] if one["offline_reason"] is None else [{"message": one["offline_reason"]}],
        }
        for one in known
        if one["kind"] in ACCESS_KINDS
    ]


def _line(device: dict[str, Any], width: int) -> str:
    properties = device["properties"]
    state = {True: "locked", False: "unlocked"}.get(properties.get("locked"), "")
    if not properties["online"]:
        state = "; ".join(error["message"] for error in device["errors"]) or "offline"
    kind = device["device_type"] + ("" if device["is_managed"] else " (unmanaged)")
    return f"{device['device_id']}  {device['display_name']:<{width}}  {kind:<20}  {state}".rstrip()


def _long(device: dict[str, Any], now: datetime) -> dict[str, str]:
    battery = device["battery"]
    state = "online" if device["online"] else f"offline for {_age(device['since'], now)}: {device['offline_reason']}"
    return {
        "name": device["name"] + ("" if device["is_managed"] else " (unmanaged)"),
        "driver": device["instance"],
        "model": " ".join(part for part in (device["manufacturer"], device["model"]) if part),
        "firmware": device["firmware"] or "",
        "battery": "" if battery is None else f"{battery['level']:.0%}, {_age(battery['measured_at'], now)} ago",
        "link": "" if device["link"] is None else _link(device["link"]),
        "state": state,
    }


def _link(link: dict[str, Any]) -> str:
    parts = []
    if link["signal_dbm"] is not None:
        parts.append(f"{link['signal_dbm']:.0f} dBm")
    if link["round_trip_ms"] is not None:
        parts.append(f"{link['round_trip_ms']:.0f} ms")
    if link["lost_ratio"]:
        parts.append(f"{link['lost_ratio']:.0%} lost")
    if link["route"] is not None:
        parts.append(f"by way of {', '.join(link['route'])}" if link["route"] else "direct")
    return ", ".join(parts)


def _age(since: str, now: datetime) -> str:
    seconds = max(0, round((now - datetime.fromisoformat(since)).total_seconds()))
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min"
    return f"{seconds // _HOUR} h" if seconds < _DAY else f"{seconds // _DAY} d"


def table(rows: list[dict[str, str]]) -> list[str]:
    """Lay out rows of equal shape in columns under their names; a column that is empty throughout is left out."""
    names = [name for name in (rows[0] if rows else ()) if any(row.get(name) for row in rows)]
    lines = [[plain(cell) for cell in line] for line in (names, *([row.get(n, "") for n in names] for row in rows))]
    widths = [max(len(line[column]) for line in lines) for column in range(len(names))]
    return [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in (lines if names else [])
    ]
