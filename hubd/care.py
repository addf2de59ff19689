"""`hubd actions` and `hubd do`: what drivers can be asked to do, from the command line."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hubd.client import Client, ClientError
from hubd.driver.actions import fact_words
from hubd.driver.files import write_once
from hubd.inventory import table
from hubd.keyboard import Keyboard, about, pair
from hubd.terminal import plain

DONE, FAILED = 0, 1
UNDER_WAY = {"running", "asking"}
TICK = 1.0
"""Seconds between two looks at a countdown."""

_YES, _NO = {"yes", "y", "true", "on", "1"}, {"no", "n", "false", "off", "0"}

type Talk = Callable[[Client, argparse.Namespace], Coroutine[Any, Any, int]]


def add(add_command: Callable[..., Any], talk: Callable[[Talk], Any], *parents: argparse.ArgumentParser) -> None:
    """Add both commands to the command line; `talk` makes what talks to the running hub a command's action."""
    listing = add_command("actions", "List what drivers can be asked to do.", talk(_actions), *parents)
    listing.add_argument("driver", nargs="?", metavar="DRIVER", help="id of its table in the config")
    do = add_command("do", "Have a driver do something, and follow it to its end.", talk(_do), *parents)
    do.add_argument("driver", metavar="DRIVER", help="id of its table in the config: zwave for [drivers.zwave]")
    do.add_argument("name", metavar="ACTION", help="see `hubd actions`")
    do.add_argument("values", nargs="*", type=pair, metavar="NAME=VALUE", help="its arguments")
    do.add_argument("--device", metavar="DEVICE", help="id or name of the device that it is done to")
    do.add_argument("--yes", action="store_true", help="do not ask whether to go on")
    do.add_argument("--out", type=Path, metavar="FILE", help="where to save the file that it makes; a new one")


def take(arguments: argparse.Namespace, rest: list[str]) -> bool:
    """Take in arguments of an action that were typed after an option, where argparse does not look for them."""
    try:
        arguments.values += [pair(text) for text in rest]
    except (AttributeError, argparse.ArgumentTypeError):
        return False
    return True


# -- actions -----------------------------------------------------------------------------------------------------------


async def _actions(client: Client, arguments: argparse.Namespace) -> int:
    actions = (await client.call("/hub/actions/list", instance=arguments.driver))["actions"]
    lines = [line for action in actions for line in _help(action)]
    for line in [json.dumps(actions)] if arguments.json else map(plain, lines):
        print(line)
    return DONE


def _help(action: dict[str, Any]) -> list[str]:
    """Describe an action by the command that starts it."""
    words = ["hubd do", action["instance"], action["name"]]
    words += ["--device DEVICE"] * action["on_device"]
    for field in action["arguments"]:
        value = "|".join(field["choices"]) or {"integer": "N", "number": "X", "boolean": "yes|no"}.get(
            field["type"], "…"
        )
        words.append(f"{field['name']}={value}" if field["required"] else f"[{field['name']}={value}]")
    lines = [" ".join(words), f"    {action['title']}. {action['description']}"]
    lines += [f"    Note: {action['warning']}"] * bool(action["warning"])
    width = max((len(field["name"]) for field in action["arguments"]), default=0)
    return lines + [f"      {field['name']:<{width}}  {about(field)}" for field in action["arguments"]]


# -- do ----------------------------------------------------------------------------------------------------------------


async def _do(client: Client, arguments: argparse.Namespace) -> int:
    screen, keyboard = Screen(is_quiet=arguments.json), Keyboard()
    action = await _find(client, arguments.driver, arguments.name)
    values = typed(action, arguments.values)
    device_id = None if arguments.device is None else await _device_id(client, arguments.driver, arguments.device)
    if arguments.out is not None:
        await asyncio.to_thread(_check_place, arguments.out)
    if action["warning"] and not arguments.yes and not await _confirm(action, screen, keyboard):
        screen.say("nothing was started")
        return FAILED
    call = {"instance": arguments.driver, "action": arguments.name, "arguments": values, "device_id": device_id}
    starting = asyncio.create_task(client.call("/hub/actions/start", **call))
    try:
        watch = Watch(client, (await asyncio.shield(starting))["run"], screen, keyboard)
        run = await watch.follow()
    except asyncio.CancelledError:  # Ctrl-C
        screen.say("giving up …")
        watch = Watch(client, (await starting)["run"], screen, keyboard)
        run = await watch.give_up()
    return await _conclude(client, run, screen, arguments)


async def _find(client: Client, driver: str, name: str) -> dict[str, Any]:
    actions = (await client.call("/hub/actions/list", instance=driver))["actions"]
    for action in actions:
        if action["name"] == name:
            return dict(action)
    known = ", ".join(action["name"] for action in actions) or "none"
    raise ClientError("action_not_found", f"{driver} has no action {name!r}; it has: {known}")


def typed(action: dict[str, Any], pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Type what was typed, by the fields of the action; a name that is none of them is the hub's to refuse."""
    types = {field["name"]: field["type"] for field in action["arguments"]}
    values: dict[str, Any] = {}
    for name, text in pairs:
        if name in values:
            raise ClientError("invalid_input", f"{name} is given twice")
        try:
            values[name] = _value(types.get(name, "text"), text)
        except ValueError as error:
            raise ClientError("invalid_input", f"{name}: {error}") from error
    return values


def _value(kind: str, text: str) -> str | int | float | bool:
    match kind:
        case "boolean":
            if text.lower() not in _YES | _NO:
                raise ValueError("must be yes or no")
            return text.lower() in _YES
        case "integer" | "number":
            try:
                return int(text) if kind == "integer" else float(text)
            except ValueError:
                raise ValueError("must be a whole number" if kind == "integer" else "must be a number") from None
        case _:
            return text


async def _device_id(client: Client, driver: str, wanted: str) -> str:
    devices = (await client.call("/hub/devices/list", instance=driver))["devices"]
    for found in (
        [device for device in devices if device["device_id"] == wanted.lower()],
        [device for device in devices if wanted in {device["name"], device["own_name"]}],
    ):
        if len(found) == 1:
            return str(found[0]["device_id"])
        if found:
            ids = ", ".join(device["device_id"] for device in found)
            raise ClientError("device_ambiguous", f"{len(found)} devices are called {wanted!r}; say which: {ids}")
    raise ClientError("device_not_found", f"{driver} has no device {wanted!r}; see `hubd devices`")


async def _confirm(action: dict[str, Any], screen: "Screen", keyboard: Keyboard) -> bool:
    screen.say(f"{action['title']}: {action['warning']}")
    screen.ask("Go on? [y/N] ")
    typed = await keyboard.line()
    screen.was_typed(is_shown=keyboard.is_terminal)
    return (typed or "").strip().lower() in _YES


class Screen:
    """Where a run is told: lines, and under them on a terminal a countdown. Beside JSON the lines go to stderr."""

    def __init__(self, *, is_quiet: bool) -> None:
        self._out = sys.stderr if is_quiet else sys.stdout
        self._has_status = False
        self._is_asking = False

    def say(self, line: str) -> None:
        """Print a line."""
        self._clear()
        print(plain(line), file=self._out, flush=True)

    def ask(self, prompt: str) -> None:
        """Print what is to be answered on the same line."""
        self._clear()
        print(plain(prompt), end="", file=self._out, flush=True)
        self._is_asking = True

    def was_typed(self, *, is_shown: bool) -> None:
        """Go on after an answer; one that was not shown did not end the line either."""
        self._is_asking = not is_shown

    def status(self, text: str) -> None:
        """Show how things stand, in the place of what was shown before; not where nobody looks."""
        if self._out.isatty():
            self._clear()
            print(text, end="", file=self._out, flush=True)
            self._has_status = bool(text)

    def _clear(self) -> None:
        if self._has_status:
            print("\r\033[K", end="", file=self._out)
        if self._is_asking:
            print(file=self._out)
        self._has_status = self._is_asking = False


class Watch:
    """Follows one run: tells what it says, and takes its questions to the keyboard."""

    def __init__(self, client: Client, run: dict[str, Any], screen: Screen, keyboard: Keyboard) -> None:
        self.run = run
        self._client = client
        self._screen = screen
        self._keyboard = keyboard
        self._told = 0
        """Number of the last message that was told."""
        self._answered = -1
        """Version of the run at the last answer that it took: up to there its question is answered."""

    async def follow(self) -> dict[str, Any]:
        """Return the run once it has ended. Cancelled, it leaves the run as it is."""
        poll: asyncio.Task[dict[str, Any]] | None = None
        typing: asyncio.Task[str | None] | None = None
        try:
            self._tell()
            while self.run["state"] in UNDER_WAY:
                poll = poll or asyncio.create_task(self._poll())
                typing = self._typing(typing)
                waits: set[asyncio.Task[Any]] = {poll} if typing is None else {poll, typing}
                await asyncio.wait(waits, timeout=TICK, return_when=asyncio.FIRST_COMPLETED)
                if poll.done():
                    self.run, poll = poll.result(), None
                    self._tell()
                if typing is not None and typing.done():
                    text, typing = typing.result(), None
                    await self._answer(text)
                if typing is None:
                    self._show_status()
        finally:
            for task in (poll, typing):
                if task is not None:
                    task.cancel()
                    await asyncio.wait({task})
        self._screen.status("")
        return self.run

    async def give_up(self) -> dict[str, Any]:
        """Have the run given up, and return it once it has ended."""
        await self._client.call("/hub/actions/cancel", run_id=self.run["run_id"])
        while self.run["state"] in UNDER_WAY:
            self.run = await self._poll()
        return self.run

    async def _poll(self) -> dict[str, Any]:
        call = {"run_id": self.run["run_id"], "after_version": self.run["version"]}
        return dict((await self._client.call("/hub/actions/get", **call))["run"])

    def _tell(self) -> None:
        for message in self.run["messages"]:
            if message["number"] > self._told:
                self._screen.say(message["text"])
                self._told = message["number"]

    def _typing(self, typing: asyncio.Task[str | None] | None) -> asyncio.Task[str | None] | None:
        """Begin to read where something is asked, and stop where nothing is asked any more."""
        question = self.run["question"] if self.run["version"] > self._answered else None
        if question is None:
            if typing is not None:
                typing.cancel()
            return None
        if typing is None:
            hint = f" ({question['hint']})" if question["hint"] else ""
            self._screen.ask(f"{question['text']}{hint} ")
            return asyncio.create_task(self._keyboard.line(is_secret=True))
        return typing

    async def _answer(self, text: str | None) -> None:
        if text is None:
            await self._client.call("/hub/actions/cancel", run_id=self.run["run_id"])
            self._answered = self.run["version"]
            self._screen.say("there is nobody to answer; giving up …")
            return
        try:
            answer = await self._client.call("/hub/actions/answer", run_id=self.run["run_id"], answer=text)
        except ClientError as error:
            if error.code not in {"invalid_input", "nothing_asked"}:
                raise
            self._screen.say(error.message)
        else:
            self._answered = answer["run"]["version"]

    def _show_status(self) -> None:
        parts = []
        if self.run["until"] is not None:
            left = (datetime.fromisoformat(self.run["until"]) - datetime.now(UTC)).total_seconds()
            parts.append(f"{max(0, round(left))} s")
        if self.run["share"] is not None:
            parts.append(f"{self.run['share']:.0%}")
        self._screen.status(f"  {', '.join(parts)}" if parts else "")


async def _conclude(client: Client, run: dict[str, Any], screen: Screen, arguments: argparse.Namespace) -> int:
    """Tell how it ended, and save its file."""
    if arguments.json:
        print(json.dumps(run))
    failure, result = run["failure"], run["result"]
    if failure is not None:
        raise ClientError(failure["code"], " ".join(filter(None, (failure["message"], failure["remedy"]))))
    if result is None:
        screen.say("cancelled")
        return FAILED
    screen.say(result["message"])
    for name, value in result["facts"].items():
        screen.say(f"  {name.replace('_', ' ')}: {fact_words(value)}")
    for line in table([{name: fact_words(value) for name, value in row.items()} for row in result["table"]]):
        screen.say(f"  {line}")
    if arguments.out is not None:
        return await _save(client, run, screen, arguments.out)
    if result["has_file"]:
        screen.say(f"  {result['file_name']} stays in the hub's data directory; with --out FILE it is saved here")
    return FAILED if result["has_faults"] else DONE


def _check_place(out: Path) -> None:
    """Refuse a place for the file before anything is started. Raises `ClientError`."""
    if out.exists():
        raise ClientError("file_exists", f"{out} is there already; give the file a name of its own")
    if not os.access(out.parent, os.W_OK | os.X_OK):
        raise ClientError("no_such_place", f"nothing can be written into {out.parent}; choose another place")


async def _save(client: Client, run: dict[str, Any], screen: Screen, out: Path) -> int:
    if not run["result"]["has_file"]:
        raise ClientError("file_not_found", f"it made no file; there is nothing to save as {out}")
    async with aclosing(client.stream("/hub/actions/file", run_id=run["run_id"])) as pieces:
        content = b"".join([piece async for piece in pieces])
    await asyncio.to_thread(write_once, out, content)
    screen.say(f"  saved as {out} ({len(content)} bytes)")
    return DONE
