import asyncio
import json
import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from hubd import care
from hubd.cli import main
from hubd.client import Client, ClientError
from hubd.driver import ActionResult
from tests.house.tree import ROOT
from tests.support.keys import typing
from tests.support.process import daemon_process
from tests.support.site import LiveSite, eventually, running_site
from tests.support.site_client import client_of, parser_of

PARSER = parser_of(care.add)


class Line:
    """The command line of a running hub."""

    def __init__(self, site: LiveSite, client: Client, capsys: pytest.CaptureFixture[str]) -> None:
        self.site = site
        self.client = client
        self.err = ""
        self._capsys = capsys

    async def run(self, *words: str | Path) -> tuple[int, list[str]]:
        """Run a command; returns its status and what it printed."""
        self._capsys.readouterr()
        arguments, rest = PARSER.parse_known_args([str(word) for word in words])
        assert not rest or care.take(arguments, rest)
        try:
            status: int = await arguments.action(self.client, arguments)
        finally:
            out, self.err = self._capsys.readouterr()
        return status, out.splitlines()

    async def fails(self, *words: str | Path) -> str:
        """Run a command that must be refused; returns the sentence."""
        with pytest.raises(ClientError) as caught:
            await self.run(*words)
        return caught.value.message


@pytest_asyncio.fixture
async def line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> AsyncIterator[Line]:
    async with running_site(tmp_path / "data") as site, client_of(site) as client:
        yield Line(site, client, capsys)


@pytest.fixture
def keys() -> Iterator[int]:
    with typing() as end:
        yield end


def press(keys: int, text: str) -> Any:
    return asyncio.to_thread(os.write, keys, text.encode())


async def test_actions_are_told_by_the_commands_that_start_them(line: Line) -> None:
    status, lines = await line.run("actions")
    assert status == 0
    assert lines[0] == "hubd do site check"
    assert lines[1].startswith("    Check the connection. Asks each hop")
    assert lines[2:6] == [
        "hubd do site include [seconds=N] [security=none|pin]",
        "    Add a lock. Press the button on the new lock, then type the PIN that is printed on it.",
        "      seconds   Seconds to wait for the button. (5 to 240, default 60)",
        "      security  Whether the lock asks for its PIN. (default pin)",
    ]
    assert "hubd do site ping --device DEVICE" in lines
    assert any(one.startswith("    Note: The device leaves the site") for one in lines)
    assert (await line.run("actions", "site")) == (status, lines)
    _, (text,) = await line.run("actions", "site", "--json")
    assert [action["name"] for action in json.loads(text)] == ["check", "include", "exclude", "ping", "backup"]
    assert "No driver 'other' is configured" in await line.fails("actions", "other")


async def test_a_lock_is_added_with_the_pin_that_is_typed(line: Line, keys: int) -> None:
    await press(keys, "12\n40717\n")
    status, lines = await line.run("do", "site", "include", "seconds=30")
    assert status == 0
    assert lines == [
        "Press the button on the new lock.",
        "A lock asks to join.",
        "Which PIN is printed on the lock? (5 digits) ",
        "answer: must be 5 digits",
        "Which PIN is printed on the lock? (5 digits) ",
        "The lock is being read.",
        "Room 104 was added.",
        "  native id: lock-4",
        "  name: Room 104",
        "  security: pin",
    ]
    assert (await line.site.device("Room 104"))["properties"]["online"] is True


async def test_a_check_that_fails_is_told_and_ends_so(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    status, lines = await line.run("do", "site", "check")
    assert status == 0
    assert lines[:2] == [
        "Simulated site: ok. A site of locks (3) and thermostats (1) is simulated in the hub itself.",
        "The check passed.",
    ]
    assert lines[2].split() == ["hop", "check", "verdict", "evidence"]

    async def broken(*_: object) -> ActionResult:
        return ActionResult(message="1 of 1 check failed: Port: It is closed.", has_faults=True)

    monkeypatch.setitem(line.site.hub.actions._checks, "site", broken)  # noqa: SLF001 - the virtual site has no faults
    status, lines = await line.run("do", "site", "check")
    assert (status, lines) == (1, ["1 of 1 check failed: Port: It is closed."])


async def test_where_nobody_can_answer_it_is_given_up(line: Line, keys: int) -> None:
    with await asyncio.to_thread(open, os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), keys)
    _, lines = await line.run("do", "site", "include", "security=none")
    assert lines[-1] == "  security: none"
    status, lines = await line.run("do", "site", "include")
    assert (status, lines[-2:]) == (1, ["there is nobody to answer; giving up …", "cancelled"])
    (run, *_) = (await line.site.call("/hub/actions/runs")).body["runs"]
    assert run["state"] == "cancelled"


async def test_a_question_that_is_no_longer_asked_is_not_waited_for(line: Line, keys: int) -> None:
    assert keys
    task = asyncio.create_task(line.run("do", "site", "include"))
    runs = line.site.hub.actions.runs
    await eventually(lambda: any(run.state == "asking" for run in runs.values()))
    line.site.hub.actions.cancel(next(iter(runs)))
    status, lines = await asyncio.wait_for(task, 20)
    assert (status, lines[-1]) == (1, "cancelled")


async def test_a_device_is_named_by_id_or_name(line: Line) -> None:
    device_id = (await line.site.device("Room 101"))["device_id"]
    for wanted in (device_id, device_id.upper(), "Room 101"):
        status, lines = await line.run("do", "site", "ping", "--device", wanted)
        assert (status, lines[1], lines[4]) == (0, "Room 101 answers.", "  ping  round_trip_ms")
    assert (
        await line.fails("do", "site", "ping", "--device", "Room 9")
        == "site has no device 'Room 9'; see `hubd devices`"
    )
    await line.site.call("/devices/update", json={"device_id": device_id, "name": "Room 102"})
    assert "2 devices are called 'Room 102'; say which: " in await line.fails(
        "do", "site", "ping", "--device", "Room 102"
    )
    assert "device_id: is needed" in await line.fails("do", "site", "ping")


async def test_what_is_destroyed_is_confirmed_first(line: Line, keys: int) -> None:
    for answer, status in (("n", 1), ("", 1), ("y", 0)):
        await press(keys, f"{answer}\n")
        ended, lines = await line.run("do", "site", "exclude", "--device", "Room 101")
        assert ended == status
        assert lines[0].startswith("Take a device out: The device leaves the site")
        assert (lines[-1] == "nothing was started") is bool(status)
    status, lines = await line.run("do", "site", "exclude", "--device", "Room 102", "--yes")
    assert (status, lines) == (0, ["Press the button on Room 102.", "Room 102 was taken out."])
    assert len((await line.site.call("/devices/list")).body["devices"]) == 2


async def test_the_file_that_was_made_is_saved_for_its_owner(line: Line, tmp_path: Path) -> None:
    out = tmp_path / "backup.json"
    status, lines = await line.run("do", "site", "backup", "--out", out)
    content, mode = await asyncio.to_thread(lambda: (out.read_bytes(), out.stat().st_mode))
    assert (status, lines[-1]) == (0, f"  saved as {out} ({len(content)} bytes)")
    assert stat.S_IMODE(mode) == 0o600
    assert len(json.loads(content)) == 4
    runs = len(line.site.hub.actions.runs)
    assert "is there already" in await line.fails("do", "site", "backup", "--out", out)
    assert len(line.site.hub.actions.runs) == runs
    _, lines = await line.run("do", "site", "backup")
    assert lines[-1] == "  backup.json stays in the hub's data directory; with --out FILE it is saved here"
    other = tmp_path / "none"
    words = ("do", "site", "ping", "--device", "Room 101", "--out", other)
    assert await line.fails(*words) == f"it made no file; there is nothing to save as {other}"


async def test_where_the_file_cannot_go_is_told_before_anything_is_started(line: Line, tmp_path: Path) -> None:
    message = await line.fails("do", "site", "backup", "--out", tmp_path / "none" / "backup.json")
    assert message == f"nothing can be written into {tmp_path / 'none'}; choose another place"
    assert not line.site.hub.actions.runs


async def test_a_file_that_came_meanwhile_is_not_written_over(line: Line, tmp_path: Path) -> None:
    out = tmp_path / "backup.json"
    await asyncio.to_thread(out.symlink_to, tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        await line.run("do", "site", "backup", "--out", out)
    assert await asyncio.to_thread(out.is_symlink)


def test_what_a_driver_says_does_not_move_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    screen = care.Screen(is_quiet=False)
    screen.say("\x1b[2JRoom\n101")
    screen.ask("\u202eWhich PIN? ")
    assert capsys.readouterr().out == "?[2JRoom 101\n?Which PIN? "


async def test_a_failure_says_what_to_do(line: Line) -> None:
    body = {"device_id": (await line.site.device("Room 101"))["device_id"]}
    await line.site.call("/devices/simulate/disconnect", json=body)
    message = await line.fails("do", "site", "ping", "--device", "Room 101")
    assert message == "Room 101 does not answer. Look at its power, and at the way to it."


async def test_json_stands_alone_on_standard_output(line: Line) -> None:
    status, (text,) = await line.run("do", "site", "ping", "--device", "Room 101", "--json")
    run = json.loads(text)
    assert (status, run["state"], run["action"]) == (0, "done", "ping")
    assert line.err.startswith("Asking Room 101.")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["seconds=x"], "seconds: must be a whole number"),
        (["seconds=4"], "arguments.seconds: must be a whole number from 5 to 240"),
        (["seconds=30", "seconds=31"], "seconds is given twice"),
        (["pin=12345"], "arguments.pin: is no argument; there are: seconds, security"),
        (["security="], "arguments.security: must be one of none, pin"),
    ],
)
async def test_wrong_arguments(line: Line, words: list[str], sentence: str) -> None:
    assert await line.fails("do", "site", "include", *words) == sentence
    assert not line.site.hub.actions.runs


async def test_what_is_not_offered(line: Line) -> None:
    message = await line.fails("do", "site", "fly")
    assert message == "site has no action 'fly'; it has: check, include, exclude, ping, backup"


def test_every_type_of_argument_is_typed() -> None:
    types = {"text": "text", "integer": "7", "number": "0.5", "boolean": "Yes", "choice": "s2"}
    action = {"arguments": [{"name": kind, "type": kind} for kind in types]}
    values = care.typed(action, list(types.items()))
    assert values == {"text": "text", "integer": 7, "number": 0.5, "boolean": True, "choice": "s2"}
    assert care.typed(action, [("boolean", "off")]) == {"boolean": False}
    for name, words in (("boolean", "must be yes or no"), ("number", "must be a number")):
        with pytest.raises(ClientError, match=words):
            care.typed(action, [(name, "much")])


@pytest.mark.parametrize("words", [["include", "seconds"], ["include", "=3"], ["include", "--fast"]])
def test_wrong_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["do", "site", *words])
    assert caught.value.code == 2
    assert "usage: hubd" in capsys.readouterr().err


def test_arguments_may_follow_an_option() -> None:
    arguments, rest = PARSER.parse_known_args(["do", "site", "ping", "a=1", "--device", "x", "b=2=3"])
    assert care.take(arguments, rest) or not rest
    assert arguments.values == [("a", "1"), ("b", "2=3")]
    assert not care.take(PARSER.parse_known_args(["actions"])[0], ["b=2"])


SLOW = '[drivers.site]\ntype = "virtual"\nlocks = 1\nthermostats = 0\nlatency_ms = 2000\n'


async def test_ctrl_c_gives_it_up_and_a_terminal_shows_the_countdown(tmp_path: Path) -> None:
    async with daemon_process(tmp_path, SLOW) as daemon:
        terminal, theirs = await asyncio.to_thread(os.openpty)
        command = [sys.executable, "-m", "hubd", "do", "site", "include", "--config", str(daemon.config)]
        process = await asyncio.to_thread(
            lambda: subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, cwd=ROOT)
        )
        try:
            os.close(theirs)
            shown = b""
            while not re.search(rb"  \d+ s", shown):
                shown += await asyncio.to_thread(os.read, terminal, 1000)
            process.send_signal(signal.SIGINT)
            assert await asyncio.to_thread(process.wait, 20) == 1
            while b"cancelled" not in shown:
                shown += await asyncio.to_thread(os.read, terminal, 1000)
        finally:
            process.kill()
            await asyncio.to_thread(process.wait)
            os.close(terminal)
        assert b"Press the button on the new lock." in shown
        assert b"giving up" in shown
