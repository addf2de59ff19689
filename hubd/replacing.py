"""`hubd replace`: by the API of the running hub, with names instead of ids where they are clear."""

import argparse
import json
from collections.abc import Callable, Coroutine
from typing import Any

from hubd.client import Client, ClientError
from hubd.terminal import plain

DONE = 0

type Talk = Callable[[Client, argparse.Namespace], Coroutine[Any, Any, int]]


def add(add_command: Callable[..., Any], talk: Callable[[Talk], Any], *parents: argparse.ArgumentParser) -> None:
    """Add the command to the command line."""
    command = add_command(
        "replace", "Let a new device take over id, name and settings of one that broke.", talk(_run), *parents
    )
    command.add_argument("old", metavar="OLD", help="id or name of the device that broke, removed or not")
    command.add_argument("new", metavar="NEW", help="id or name of the device that takes its place")
    command.add_argument("--force", action="store_true", help="do it though the old one still answers")


async def _run(client: Client, arguments: argparse.Namespace) -> int:
    device, line = await replace(client, arguments.old, arguments.new, is_forced=arguments.force)
    print(json.dumps(device) if arguments.json else plain(line))
    return DONE


async def replace(client: Client, old: str, new: str, *, is_forced: bool = False) -> tuple[dict[str, Any], str]:
    """Let `new` take over id, name and settings of `old`. Returns the device as it is now, and a line that says so.

    Each is an id or a name; `old` may be a removed device. Raises `ClientError`.
    """
    present = (await client.call("/hub/devices/list"))["devices"]
    removed = (await client.call("/hub/devices/removed"))["devices"]
    heir = _find(new, present)
    broken = _find(old, [device for device in present if device is not heir], removed)
    answer = await client.call(
        "/hub/devices/replace",
        device_id=broken["device_id"],
        replacement_device_id=heir["device_id"],
        is_old_present_ok=is_forced,
    )
    device: dict[str, Any] = answer["device"]
    make = " ".join(part for part in (device["manufacturer"], device["model"]) if part) or device["own_name"]
    return device, f"{device['device_id']}  {device['name']} is now {make}, {device['native_id']}"


def _find(wanted: str, *lists: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the one device meant: by id, else by name, of a removed one only if no present one has it."""
    for devices in lists:
        for device in devices:
            if device["device_id"] == wanted.lower():
                return device
    for devices in lists:
        named = [device for device in devices if device["name"] == wanted]
        if len(named) > 1:
            ids = ", ".join(device["device_id"] for device in named)
            raise ClientError("device_ambiguous", f"{len(named)} devices are called {wanted!r}; say which: {ids}")
        if named:
            return named[0]
    raise ClientError("device_not_found", f"no device is called {wanted!r}; see `hubd devices`")
