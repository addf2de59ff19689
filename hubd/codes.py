"""`hubd codes`: access codes from the command line. PINs are typed unseen or chosen by the hub, and never arguments."""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Coroutine, Iterable
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from hubd.client import Client, ClientError
from hubd.inventory import table
from hubd.keyboard import Keyboard
from hubd.terminal import plain
from hubd.web import moments

DONE, FAILED = 0, 1
LINES = 200
"""How many lines of a history are shown where nobody says."""
MAX_LINES = 1000
"""As much as one answer holds."""
MOVING = {"setting", "removing"}

type Json = dict[str, Any]
type Talk = Callable[[Client, argparse.Namespace], Coroutine[Any, Any, int]]


def add(commands: Any, talk: Callable[[Talk], Any], *parents: argparse.ArgumentParser) -> None:
    """Add the command with its own commands to the command line."""
    words = "Look after access codes."
    codes = commands.add_parser("codes", help=words, description=words)
    inner = codes.add_subparsers(dest="codes_command", required=True, metavar="COMMAND")

    def one(name: str, words: str, action: Talk) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = inner.add_parser(name, help=words, description=words, parents=list(parents))
        made.set_defaults(action=talk(action))
        return made

    listing = one("list", "List access codes: how each stands, and why it waits.", _list)
    listing.add_argument("--device", metavar="DEVICE", help="those of one device: its id or name")
    listing.add_argument("--unmanaged", action="store_true", help="only those that were set at the lock")
    listing.add_argument("--pins", action="store_true", help="with their PINs, in the clear")
    make = one("add", "Have a code on a lock; prints the PIN that the hub chose, once.", _add)
    make.add_argument("device", metavar="DEVICE", help="id or name of the lock")
    make.add_argument("--name", metavar="NAME", help="what the code is called")
    make.add_argument("--from", dest="starts", metavar="TIME", help='"2026-11-23 15:00", in the zone of the site')
    make.add_argument("--to", dest="ends", metavar="TIME", help="likewise; without it the code has no end")
    make.add_argument("--pin", action="store_true", help="read the PIN from the terminal, unseen, or standard input")
    make.add_argument("--wait", action="store_true", help="go on until the lock has it, or refuses it")
    remove = one("remove", "Have a code removed from its lock.", _remove)
    remove.add_argument("code", metavar="CODE|DEVICE", help="id or name of the code, or of its device")
    remove.add_argument("name", nargs="?", metavar="NAME", help="after a device: the name of its code")
    remove.add_argument("--wait", action="store_true", help="go on until it is off the lock")
    told = one("history", "Tell what became of a code, or of the codes of a device.", _history)
    whose = told.add_mutually_exclusive_group(required=True)
    whose.add_argument("code", nargs="?", metavar="CODE", help="id or name of the code; the id of one that is gone")
    whose.add_argument("--device", metavar="DEVICE", help="id or name of a device, with its codes that are gone")
    told.add_argument("--last", type=_count, default=LINES, metavar="N", help=f"how many lines (default {LINES})")


# -- list --------------------------------------------------------------------------------------------------------------


async def _list(client: Client, arguments: argparse.Namespace) -> int:
    device_id = None if arguments.device is None else await find_device(client, arguments.device)
    codes = (await client.call("/hub/codes/list", device_id=device_id))["codes"]
    if arguments.unmanaged:
        codes = [code for code in codes if not code["is_managed"]]
    if arguments.pins:
        pins = await _pins(client, {code["device_id"] for code in codes})
        codes = [code | {"code": pins.get(code["access_code_id"])} for code in codes]
    zone = await _zone(client)
    lines = table([_row(code, zone, has_pins=arguments.pins) for code in codes])
    none = "no code was set at a lock" if arguments.unmanaged else "no access code is wished, and none was found"
    return _show(arguments, codes, lines or [none])


async def _pins(client: Client, device_ids: Iterable[str]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for device_id in sorted(device_ids):
        for path in ("/access_codes/list", "/access_codes/unmanaged/list"):
            cursor: str | None = None
            while True:
                page = await client.call(path, device_id=device_id, page_cursor=cursor)
                found |= {code["access_code_id"]: code["code"] for code in page["access_codes"]}
                cursor = page["pagination"]["next_page_cursor"]
                if cursor is None:
                    break
    return found


def _row(code: Json, zone: ZoneInfo, *, has_pins: bool) -> dict[str, str]:
    return {
        "code": code["access_code_id"],
        "device": code["device_name"],
        "name": code["name"] or "",
        **({"pin": code["code"] or "not known"} if has_pins else {}),
        "from": _time(code["starts_at"], zone),
        "to": _time(code["ends_at"], zone),
        "slot": "" if code["slot"] is None else str(code["slot"]),
        "state": state_words(code),
        "why": reason_words(code),
    }


def state_words(code: Json) -> str:
    """Say in a word or two how a code stands."""
    if not code["is_managed"] and not code["is_being_deleted"]:
        return "set at the lock"
    if code["status"] == "unset":
        return "ready on the lock" if code["is_scheduled_on_device"] else "not begun"
    if code["status"] == "set" and code["is_verified"] is False:
        return "set, not readable"
    return {"setting": "being set", "removing": "being removed"}.get(code["status"], str(code["status"]))


def reason_words(code: Json) -> str:
    """Say why a code waits, for how long, and what is wrong with it."""
    parts = [error["message"] for error in code["errors"]]
    if code["why"] and code["why"] not in parts:
        parts.append(code["why"])
    if code["wait_seconds"] is not None:
        parts.append(f"Expected in about {moments.rough(code['wait_seconds'])}.")
    return " ".join(parts)


# -- add and remove ----------------------------------------------------------------------------------------------------


async def _add(client: Client, arguments: argparse.Namespace) -> int:
    site = await client.call("/hub/site")
    zone = await asyncio.to_thread(ZoneInfo, site["time_zone"])
    starts, ends = _typed("--from", arguments.starts, zone), _typed("--to", arguments.ends, zone)
    if ends is not None and starts is None:
        starts = datetime.fromisoformat(site["now"])
    if starts is not None and ends is None:
        raise ClientError("invalid_input", "--from needs --to: only a code without a start has no end")
    device_id = await find_device(client, arguments.device)
    pin = await _type_pin() if arguments.pin else None
    given = {
        "name": arguments.name,
        "code": pin,
        "starts_at": None if starts is None else starts.isoformat(),
        "ends_at": None if ends is None else ends.isoformat(),
    }
    call = {name: value for name, value in given.items() if value is not None}
    answer = await client.call("/access_codes/create", device_id=device_id, **call)
    made = answer["access_code"]
    code_id = made["access_code_id"]
    code = (await client.call("/hub/codes/get", access_code_id=code_id))["code"]
    if arguments.json:
        print(json.dumps(made))
    say = partial(print, file=sys.stderr if arguments.json else sys.stdout, flush=True)
    frame = " ".join(
        f"{word} {_time(made[key], zone)}" for word, key in (("from", "starts_at"), ("to", "ends_at")) if made[key]
    )
    say(plain(f"{code_id}  {code['device_name']}  {made['name'] or 'without a name'}  {frame}".rstrip()))
    if pin is None and not arguments.json:
        say(f"PIN {made['code']}")
    return await _follow(client, code, say) if arguments.wait else _said(code, say)


async def _remove(client: Client, arguments: argparse.Namespace) -> int:
    codes = (await client.call("/hub/codes/list"))["codes"]
    if arguments.name is None:
        code = find_code(codes, arguments.code)
    else:
        device_id = await find_device(client, arguments.code)
        code = find_code([one for one in codes if one["device_id"] == device_id], arguments.name)
    code_id = code["access_code_id"]
    path = "/access_codes/delete" if code["is_managed"] else "/access_codes/unmanaged/delete"
    answer = await client.call(path, access_code_id=code_id)
    if arguments.json:
        print(json.dumps(answer))
    say = partial(print, file=sys.stderr if arguments.json else sys.stdout, flush=True)
    say(plain(f"{code_id}  {code['device_name']}  {code['name'] or 'without a name'}: it is being removed"))
    try:
        code = (await client.call("/hub/codes/get", access_code_id=code_id))["code"]
        return await _follow(client, code, say) if arguments.wait else _said(code, say)
    except ClientError as error:
        return _gone(error, say)


def _said(code: Json, say: Callable[[str], None]) -> int:
    place = f" in slot {code['slot']}" if code["status"] == "set" and code["slot"] is not None else ""
    say(plain(": ".join(filter(None, (state_words(code) + place, reason_words(code))))))
    return DONE


def _gone(error: ClientError, say: Callable[[str], None]) -> int:
    if error.code != "access_code_not_found":
        raise error
    say("done: nothing of it is on the lock")
    return DONE


async def _follow(client: Client, code: Json, say: Callable[[str], None]) -> int:
    """Tell how a code comes along until it is as it should be, or fails."""
    told, code_id = "", code["access_code_id"]
    while code["status"] in MOVING and not code["errors"]:
        reason = code["why"] or ""
        if reason not in {"", told}:
            say(plain(f"{state_words(code)}: {reason_words(code)}"))
        told = reason
        code = (await client.call("/hub/codes/get", access_code_id=code_id, wait=True))["code"]
    _said(code, say)
    return FAILED if code["errors"] else DONE


async def _type_pin() -> str:
    """Read a PIN. On a terminal it is asked for, and not shown."""
    keyboard = Keyboard()
    if keyboard.is_terminal:
        print("PIN: ", end="", file=sys.stderr, flush=True)
    line = await keyboard.line(is_secret=True)
    if keyboard.is_terminal:
        print(file=sys.stderr)
    if not (pin := (line or "").strip()):
        raise ClientError("no_pin", "no PIN was typed; without --pin the hub chooses one")
    return pin


# -- history -----------------------------------------------------------------------------------------------------------


async def _history(client: Client, arguments: argparse.Namespace) -> int:
    if arguments.device is not None:
        which = {"device_id": await find_device(client, arguments.device)}
    else:
        which = {"access_code_id": await _code_id(client, arguments.code)}
    told = (await client.call("/hub/codes/history", **which, limit=arguments.last))["history"]
    zone = await _zone(client)
    lines = [_line(one, told, zone) for one in reversed(told)]
    return _show(arguments, told, lines or ["nothing yet"])


async def _code_id(client: Client, wanted: str) -> str:
    codes = (await client.call("/hub/codes/list"))["codes"]
    try:
        return str(find_code(codes, wanted)["access_code_id"])
    except ClientError as error:
        if error.code != "access_code_not_found" or not _is_id(wanted):
            raise
        return wanted  # of a code that is gone


def _is_id(text: str) -> bool:
    return len(text) == 36 and text.count("-") == 4  # noqa: PLR2004 - a UUID


def _line(told: Json, every: list[Json], zone: ZoneInfo) -> str:
    import msgspec  # noqa: PLC0415 - these bring the store along; the other commands start faster without

    from hubd.core.codes.story import CodeEvent  # noqa: PLC0415
    from hubd.web.code_sentences import code_name, code_sentence  # noqa: PLC0415
    from hubd.web.scene import Scene  # noqa: PLC0415

    names = {one["access_code_id"]: one["access_code_name"] for one in every}
    event: CodeEvent = msgspec.convert(told["body"], CodeEvent)
    scene = Scene(
        device=told["device_name"] or "a device that is gone",
        link="",
        who=lambda by: f"“{told['by_name']}”" if told["by_name"] else by,
        order=lambda _: None,
        code=lambda code_id: code_name(names.get(code_id)),
        moment=partial(moments.show, zone=zone),
    )
    at = datetime.fromisoformat(told["at"]).astimezone(zone)
    return f"{at:%Y-%m-%d %H:%M:%S}  {told['access_code_id']}  {code_sentence(event, scene)}"


# -- what all of them need ---------------------------------------------------------------------------------------------


async def find_device(client: Client, wanted: str) -> str:
    """Return the id of the device that is meant by id or name. Raises `ClientError`."""
    devices = (await client.call("/hub/devices/list"))["devices"]
    return str(_one(devices, "device_id", wanted, f"no device is called {wanted!r}; see `hubd devices`", "devices"))


def find_code(codes: list[Json], wanted: str) -> Json:
    """Return the code that is meant by id or name. Raises `ClientError`."""
    sentence = f"no access code is called {wanted!r}; see `hubd codes list`"
    code_id = _one(codes, "access_code_id", wanted, sentence, "access codes")
    return next(code for code in codes if code["access_code_id"] == code_id)


def _one(found: list[Json], key: str, wanted: str, otherwise: str, what: str) -> str:
    kind = key.removesuffix("_id")
    for one in found:
        if one[key] == wanted.lower():
            return str(one[key])
    named = [one[key] for one in found if one["name"] == wanted]
    if len(named) > 1:
        message = f"{len(named)} {what} are called {wanted!r}; say which: {', '.join(named)}"
        raise ClientError(f"{kind}_ambiguous", message)
    if not named:
        raise ClientError(f"{kind}_not_found", otherwise)
    return str(named[0])


async def _zone(client: Client) -> ZoneInfo:
    return await asyncio.to_thread(ZoneInfo, (await client.call("/hub/site"))["time_zone"])


def _typed(option: str, text: str | None, zone: ZoneInfo) -> datetime | None:
    if text is None:
        return None
    try:
        return moments.read(text, zone)
    except ValueError as error:
        raise ClientError("invalid_input", f"{option}: {error}") from error


def _time(text: str | None, zone: ZoneInfo) -> str:
    return "" if text is None else moments.show(datetime.fromisoformat(text), zone)


def _count(text: str) -> int:
    value = int(text)
    if not 0 < value <= MAX_LINES:
        raise argparse.ArgumentTypeError(f"must be 1 to {MAX_LINES}")
    return value


def _show(arguments: argparse.Namespace, data: object, lines: list[str]) -> int:
    for line in [json.dumps(data)] if arguments.json else map(plain, lines):
        print(line)
    return DONE
