import argparse
import asyncio
import json
import os
import re
import termios
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from hubd import codes
from hubd.cli import main
from hubd.client import Client, ClientError
from hubd.model import Command, Outcome, SetCode, rejected
from tests.support.keys import typing
from tests.support.site import LiveSite, eventually, running_site
from tests.support.site_client import client_of

PIN = "73519264"
SITE = '[drivers.site]\ntype = "virtual"\nlocks = 3\nthermostats = 1\nlatency_ms = 0\n'


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    output = argparse.ArgumentParser(add_help=False)
    output.add_argument("--json", action="store_true")
    codes.add(parser.add_subparsers(), lambda talk: talk, output)
    return parser


PARSER = _parser()


class Line:
    """The command line of a running hub."""

    def __init__(self, site: LiveSite, client: Client, capsys: pytest.CaptureFixture[str]) -> None:
        self.site = site
        self.client = client
        self.err = ""
        self._capsys = capsys

    async def run(self, *words: str) -> tuple[int, list[str]]:
        """Run a command; returns its status and what it printed."""
        self._capsys.readouterr()
        arguments = PARSER.parse_args(["codes", *words])
        try:
            status: int = await arguments.action(self.client, arguments)
        finally:
            out, self.err = self._capsys.readouterr()
        return status, out.splitlines()

    async def fails(self, *words: str) -> ClientError:
        """Run a command that must be refused."""
        with pytest.raises(ClientError) as caught:
            await self.run(*words)
        return caught.value

    async def code(self, name: str) -> dict[str, Any]:
        """Return how the code of a name stands."""
        found = (await self.site.call("/hub/codes/list")).body["codes"]
        return dict(next(code for code in found if code["name"] == name))

    async def silence(self, name: str) -> None:
        """Take a lock off its network."""
        device_id = (await self.site.device(name))["device_id"]
        await self.site.call("/devices/simulate/disconnect", json={"device_id": device_id})


@pytest_asyncio.fixture
async def line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> AsyncIterator[Line]:
    hub = 'time_zone = "Europe/Berlin"'
    async with running_site(tmp_path / "data", SITE, hub=hub) as site, client_of(site) as client:
        yield Line(site, client, capsys)


@pytest.fixture
def keys() -> Iterator[int]:
    with typing() as end:
        yield end


async def test_a_code_from_its_making_to_its_end(line: Line) -> None:
    assert await line.run("list") == (0, ["no access code is wished, and none was found"])
    status, lines = await line.run("add", "Room 101", "--name", "Guest", "--wait")
    code = await line.code("Guest")
    assert (status, lines[0], lines[-1]) == (0, f"{code['access_code_id']}  Room 101  Guest", "set in slot 1")
    pin = lines[1].removeprefix("PIN ")
    status, lines = await line.run("list")
    assert status == 0
    assert re.split(" {2,}", lines[1]) == [
        code["access_code_id"],
        "Room 101",
        "Guest",
        "1",
        "set",
    ]
    assert pin not in "\n".join(lines)
    _, lines = await line.run("list", "--pins", "--device", "Room 101")
    assert pin in lines[1].split()
    status, lines = await line.run("remove", "Guest", "--wait")
    assert (status, lines[-1]) == (0, "done: nothing of it is on the lock")
    status, lines = await line.run("history", code["access_code_id"])
    assert status == 0
    assert [one.partition("  ")[2].partition("  ")[2] for one in lines] == [
        "The code “Guest” was made for Room 101, by “owner”.",
        "The code “Guest” is set on Room 101 (slot 1).",
        "The code “Guest” of Room 101 is to be removed, by “owner”.",
        "The code “Guest” was taken off Room 101 (slot 1): it was deleted.",
        "The code “Guest” of Room 101 was deleted, by “owner”.",
    ]
    assert (await line.run("history", "--device", "Room 101"))[1] == lines
    assert (await line.run("history", "--device", "Room 101", "--last", "1"))[1] == lines[-1:]
    assert pin not in "\n".join(lines)


async def test_times_are_those_of_the_site(line: Line) -> None:
    words = ("add", "Room 101", "--name", "Later", "--from", "2030-07-01 15:00", "--to", "2030-07-03T11:00+02:00")
    status, lines = await line.run(*words)
    assert status == 0
    assert lines[0].endswith("Room 101  Later  from 2030-07-01 15:00 to 2030-07-03 11:00")
    assert lines[2] == "not begun: It is put on the lock when it starts, 2030-07-01 15:00:00 CEST."
    code = await line.code("Later")
    assert (code["starts_at"], code["ends_at"]) == ("2030-07-01T13:00:00Z", "2030-07-03T09:00:00Z")
    _, lines = await line.run("list")
    assert "2030-07-01 15:00  2030-07-03 11:00" in lines[1]
    status, lines = await line.run("add", "Room 102", "--to", "2030-07-03 11:00", "--wait")
    assert (status, lines[-1]) == (0, "set in slot 1")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--to", "2030-10-27 02:30"), "--to: comes twice, as clocks are put back then; add +02:00 or +01:00"),
        (("--from", "2030-03-31 02:30"), "--from: does not exist: clocks are put forward then"),
        (("--from", "soon"), "--from: must be a time such as 2026-11-23 15:00"),
        (("--from", "2030-03-30 15:00"), "--from needs --to: only a code without a start has no end"),
    ],
)
async def test_times_that_cannot_be_told(line: Line, words: tuple[str, ...], sentence: str) -> None:
    assert (await line.fails("add", "Room 101", *words)).message == sentence
    assert (await line.site.call("/hub/codes/list")).body["codes"] == []


async def test_a_pin_is_read_from_standard_input_and_told_to_nobody(line: Line, keys: int) -> None:
    await asyncio.to_thread(os.write, keys, f"{PIN}\n".encode())
    status, lines = await line.run("add", "Room 101", "--name", "Owner", "--pin", "--wait")
    assert (status, lines[-1], line.err) == (0, "set in slot 1", "")
    assert PIN not in "\n".join(lines)
    _, (text,) = await line.run("list", "--json")
    assert PIN not in text
    _, (text,) = await line.run("list", "--json", "--pins")
    assert [code["code"] for code in json.loads(text)] == [PIN]


async def test_a_pin_is_asked_for_and_not_shown_at_a_terminal(line: Line) -> None:
    with typing(terminal=True) as keyboard:
        task = asyncio.create_task(line.run("add", "Room 101", "--name", "Owner", "--pin", "--wait"))
        await eventually(lambda: not termios.tcgetattr(0)[3] & termios.ECHO)
        await asyncio.to_thread(os.write, keyboard, f"{PIN}\n".encode())
        status, lines = await task
        shown = await asyncio.to_thread(_all_of, keyboard)
    assert (status, line.err) == (0, "PIN: \n")
    assert (await line.code("Owner"))["status"] == "set"
    assert PIN not in shown.decode() + "".join(lines)


def _all_of(terminal: int) -> bytes:
    os.set_blocking(terminal, False)
    try:
        return os.read(terminal, 1000)
    except BlockingIOError:
        return b""


async def test_no_pin_at_all(line: Line, keys: int) -> None:
    await asyncio.to_thread(os.write, keys, b"\n")
    error = await line.fails("add", "Room 101", "--pin")
    assert (error.code, error.message) == ("no_pin", "no PIN was typed; without --pin the hub chooses one")


async def test_a_pin_is_no_argument(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        await asyncio.to_thread(main, ["codes", "add", "Room 101", "--pin", PIN])
    assert caught.value.code == 2
    assert "usage: hubd" in capsys.readouterr().err


async def test_a_code_that_waits_says_why_until_its_lock_is_back(line: Line) -> None:
    await line.silence("Room 101")
    status, lines = await line.run("add", "Room 101", "--name", "Guest")
    assert status == 0
    assert lines[-1] == "being set: The simulated device was taken off its network."
    status, lines = await line.run("list")
    assert lines[1].endswith("being set  The simulated device was taken off its network.")
    waiting = asyncio.create_task(line.run("remove", "Room 101", "Guest", "--wait"))
    assert (await waiting)[1][-1] == "done: nothing of it is on the lock"
    task = asyncio.create_task(line.run("add", "Room 101", "--name", "Guest 2", "--wait"))
    hub = line.site.hub
    await eventually(lambda: any(code.name == "Guest 2" for code in hub.journal.tables.codes.values()))
    device_id = (await line.site.device("Room 101"))["device_id"]
    await line.site.call("/devices/simulate/connect", json={"device_id": device_id})
    status, lines = await task
    assert (status, lines[-1]) == (0, "set in slot 1")


async def test_codes_that_were_set_at_the_lock(line: Line) -> None:
    device_id = (await line.site.device("Room 102"))["device_id"]
    body = {"device_id": device_id, "code": PIN, "name": "By hand"}
    answer = await line.site.call("/access_codes/simulate/create_unmanaged_access_code", json=body)
    assert answer.status == 200, answer.body
    await eventually(lambda: line.site.hub.codes.of(device_id) != [])
    await line.run("add", "Room 101", "--name", "Guest", "--wait")
    _, lines = await line.run("list", "--unmanaged", "--pins")
    assert len(lines) == 2
    cells = re.split(" {2,}", lines[1])
    assert (cells[1], PIN in cells, cells[-1]) == ("Room 102", True, "set at the lock")
    status, lines = await line.run("remove", cells[0], "--wait")
    assert (status, lines[-1]) == (0, "done: nothing of it is on the lock")
    _, (text,) = await line.run("list", "--unmanaged", "--json")
    assert json.loads(text) == []


async def test_what_is_not_clear_is_not_guessed(line: Line) -> None:
    for room in ("Room 101", "Room 102"):
        await line.run("add", room, "--name", "Guest", "--wait")
    error = await line.fails("remove", "Guest")
    assert (error.code, error.message.startswith("2 access codes are called 'Guest'; say which: ")) == (
        "access_code_ambiguous",
        True,
    )
    assert (await line.fails("remove", "Nobody")).code == "access_code_not_found"
    assert (await line.fails("remove", "Room 103", "Guest")).code == "access_code_not_found"
    assert (await line.fails("add", "Cellar")).code == "device_not_found"
    assert (await line.fails("history", "Guest")).code == "access_code_ambiguous"
    unknown = "00000000-0000-4000-8000-000000000000"
    assert (await line.fails("history", unknown)).code == "access_code_not_found"
    assert (await line.fails("add", "Climate 101")).message.startswith("The device takes no codes")
    assert len(line.site.hub.journal.tables.codes) == 2
    assert (await line.run("remove", "Room 102", "Guest", "--wait"))[0] == 0


async def test_json_stands_alone_on_standard_output(line: Line) -> None:
    status, (text,) = await line.run("add", "Room 101", "--name", "Guest", "--wait", "--json")
    made = json.loads(text)
    assert (status, made["name"], len(made["code"]) >= 4) == (0, "Guest", True)
    assert "set in slot 1" in line.err
    assert made["code"] not in line.err
    status, (text,) = await line.run("history", "Guest", "--json")
    assert [one["body"]["type"] for one in json.loads(text)] == ["code.placed", "code.created"]
    status, (text,) = await line.run("remove", "Guest", "--json")
    assert json.loads(text)["action_attempt"]["action_type"] == "DELETE_ACCESS_CODE"


async def test_a_code_that_its_lock_refuses_ends_the_waiting(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = line.site.hub.instances["site"].driver

    async def refuse(command: Command) -> Outcome:
        assert isinstance(command, SetCode)
        return rejected("code_refused", "The lock takes no such PIN.")

    monkeypatch.setattr(driver, "execute", refuse)
    status, lines = await line.run("add", "Room 101", "--name", "Guest", "--wait")
    assert status == 1
    assert lines[-1].startswith("being set: The lock takes no such PIN. The last attempt failed; the next one is 20")


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ({"status": "set", "is_verified": True}, "set"),
        ({"status": "set", "is_verified": False}, "set, not readable"),
        ({"status": "unset", "is_scheduled_on_device": True}, "ready on the lock"),
        ({"status": "unset"}, "not begun"),
        ({"status": "removing"}, "being removed"),
        ({"status": "set", "is_managed": False}, "set at the lock"),
        ({"status": "removing", "is_managed": False, "is_being_deleted": True}, "being removed"),
        ({"status": "unknown"}, "unknown"),
    ],
)
def test_how_a_code_stands(code: dict[str, Any], text: str) -> None:
    whole = {"is_managed": True, "is_being_deleted": False, "is_scheduled_on_device": False, "is_verified": None}
    assert codes.state_words(whole | code) == text


def test_why_a_code_waits() -> None:
    code: dict[str, Any] = {"errors": [], "why": None, "wait_seconds": None}
    assert codes.reason_words(code) == ""
    full = "Every slot of the lock is taken."
    assert codes.reason_words(code | {"errors": [{"message": full}], "why": full}) == full
    waits = code | {"why": "The radio is busy: 37 changes wait, for about 110 s.", "wait_seconds": 12.3}
    assert codes.reason_words(waits) == ("The radio is busy: 37 changes wait, for about 110 s. Expected in about 12 s.")


@pytest.mark.parametrize(
    "words", [["history"], ["history", "x", "--device", "y"], ["history", "x", "--last", "0"], ["add"], []]
)
def test_wrong_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["codes", *words])
    assert caught.value.code == 2
    assert "usage: hubd codes" in capsys.readouterr().err
