"""Network care as a whole: daemon, API and command line on the real zwave-js-server and an emulated stick."""

import asyncio
import base64
import json
import signal
import stat
import sys
import tarfile
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hubd_drivers.zwave.server.settings import write_private

from tests.drivers.zwave.conftest import SharedNetwork
from tests.hubd.api.caller import HttpCaller
from tests.scenarios.client import client_of_process, devices, until
from tests.sims.zwave.server_config import network_keys
from tests.support.process import DaemonProcess, daemon_process

pytestmark = [pytest.mark.scenario, pytest.mark.node, pytest.mark.timeout(120)]

S2_LOCK = 3
LOCK = f"Door lock 7e570001-{S2_LOCK}"
RUN_SECONDS = 40.0
NO_PIN = "4180295736" * 3
LISTED_DSK = "17294-31852-00417-59026-44431-08213-61177-25590"
NO_QR = "90" + "4917350286" * 6


@asynccontextmanager
async def hub(
    tmp_path: Path, network: SharedNetwork, more: str = ""
) -> AsyncIterator[tuple[DaemonProcess, HttpCaller]]:
    """Run the daemon as a process, as talkative as it can be; `more`: other keys of the driver's."""
    drivers = f'[drivers.radio]\ntype = "zwave"\nurl = "{network.url}"\n{more}\n'
    settings = 'offline_grace_seconds = 0\nlog_level = "debug"'
    async with daemon_process(tmp_path, drivers, hub=settings) as daemon, client_of_process(daemon) as client:
        yield daemon, client


async def start(client: HttpCaller, action: str, headers: dict[str, str] | None = None, **arguments: Any) -> Any:
    call = {"instance": "radio", "action": action, "arguments": arguments}
    return (await client.ok("/hub/actions/start", call, headers=headers))["run"]


async def follow(client: HttpCaller, run: Any, *states: str) -> Any:
    """Poll a run, as a page does, until it is in one of these states."""
    async with asyncio.timeout(RUN_SECONDS):
        while run["state"] not in states:
            call = {"run_id": run["run_id"], "after_version": run["version"]}
            run = (await client.ok("/hub/actions/get", call))["run"]
    return run


async def ended(client: HttpCaller, run: Any) -> Any:
    return await follow(client, run, "done", "failed", "cancelled")


async def done(client: HttpCaller, action: str, **arguments: Any) -> Any:
    run = await ended(client, await start(client, action, **arguments))
    assert run["state"] == "done", run["failure"]
    return run


async def obeys(client: HttpCaller, network: SharedNetwork, device_id: str, node: int) -> None:
    for path, locked in (("/locks/lock_door", True), ("/locks/unlock_door", False)):
        attempt = (await client.ok(path, {"device_id": device_id}))["action_attempt"]
        assert attempt["status"] == "success", attempt
        assert await network.op("locked", node=node) is locked


async def leave(client: HttpCaller, network: SharedNetwork, node: int) -> Any:
    """Have a device excluded, told at its buttons."""
    await network.op("leave", node=node)
    return await done(client, "exclude", seconds=20)


async def test_a_lock_is_included_with_its_dsk_obeys_and_is_excluded_again(
    module_network: SharedNetwork, tmp_path: Path
) -> None:
    dsk: str = await module_network.op("join", like=S2_LOCK, device="front door")
    pin, _, rest = dsk.partition("-")
    answers = []
    async with hub(tmp_path, module_network) as (daemon, client):
        started = await start(client, "include", name="Front door")
        asking = await follow(client, started, "asking", "failed")
        assert rest in asking["question"]["text"]
        assert asking["question"]["pattern"] == "[0-9]{5}"
        call = {"run_id": asking["run_id"], "answer": NO_PIN}
        refused = await client.refused("/hub/actions/answer", call, headers={"idempotency-key": "digits 1"})
        assert refused["type"] == "invalid_input"
        for _ in range(2):  # the second is a repeat, as a client makes whose connection broke
            call = {"run_id": asking["run_id"], "answer": pin}
            answer = await client.ok("/hub/actions/answer", call, headers={"idempotency-key": "digits 2"})
            answers.append(answer)
        run = await ended(client, asking)
        assert run["state"] == "done", run["failure"]
        node = run["result"]["facts"]["node_id"]
        assert run["result"]["message"] == f"Front door (node {node}) is included with S2 Access Control."

        lock = (await devices(client))["Front door"]
        await obeys(client, module_network, lock["device_id"], node)

        left = await leave(client, module_network, node)
        assert left["result"]["message"] == f"Front door (node {node}) has left the network."
        await until(lambda: is_gone(client, "Front door"))
        since = {"since": "2020-01-01T00:00:00Z"}
        events = (await client.ok("/events/list", {"device_id": lock["device_id"], **since}))["events"]
        assert [event["event_type"] for event in events].count("device.removed") == 1
        assert "device.added" in {event["event_type"] for event in events}

        answers += [await client.ok("/hub/actions/runs"), await client.ok("/hub/journal", {"limit": 1000})]
        answers += [await client.ok("/events/list", since), await client.ok("/hub/devices/removed")]
        places = {f"answer {number}": json.dumps(one).encode() for number, one in enumerate(answers)}
        places |= await asyncio.to_thread(files, daemon)
        await daemon.stop()
        places |= {f"{name}, stopped": text for name, text in (await asyncio.to_thread(files, daemon)).items()}
    assert where(rest, places) >= {"hubd.sqlite-wal", "hubd.sqlite, stopped"}, "what is no secret is found"
    assert b"DEBUG" in places["the log"]
    # Five digits alone may stand anywhere by chance; these are how they would be written if they were told.
    for secret in (dsk, f"{pin}-{rest[:5]}", f'"{pin}"', f"'{pin}'", f'"{pin}\\', NO_PIN):
        assert where(secret, places) == set(), secret


async def test_what_is_put_on_the_smart_start_list_is_kept_by_nobody_but_zwave_js(
    module_network: SharedNetwork, tmp_path: Path
) -> None:
    rest = LISTED_DSK.partition("-")[2]
    once = {"idempotency-key": "list 1"}
    async with hub(tmp_path, module_network) as (daemon, client):
        first = await ended(client, await start(client, "smart_start_add", once, code=LISTED_DSK, name="Cellar"))
        assert first["result"]["facts"]["dsk"] == rest
        again = await start(client, "smart_start_add", once, code=LISTED_DSK, name="Cellar")
        assert again["run_id"] == first["run_id"]
        call = {"instance": "radio", "action": "smart_start_add", "arguments": {"code": f"{LISTED_DSK}{LISTED_DSK}"}}
        assert (await client.refused("/hub/actions/start", call, headers=once))["type"] == "idempotency_key_reused"
        wrong = await ended(client, await start(client, "smart_start_add", {"idempotency-key": "list 2"}, code=NO_QR))
        assert wrong["failure"]["code"] == "code_invalid"
        listed = await done(client, "smart_start_list")
        assert [(row["name"], row["dsk"]) for row in listed["result"]["table"]] == [("Cellar", rest)]
        await done(client, "smart_start_remove", dsk=rest)
        assert (await done(client, "smart_start_list"))["result"]["table"] == []
        told = [await client.ok("/hub/actions/runs"), await client.ok("/hub/journal", {"limit": 1000})]
        places = {f"answer {number}": json.dumps(one).encode() for number, one in enumerate(told)}
        places |= await asyncio.to_thread(files, daemon)
        await daemon.stop()
        places |= {f"{name}, stopped": text for name, text in (await asyncio.to_thread(files, daemon)).items()}
    assert where("smart_start_add", places) >= {"answer 0", "answer 1", "hubd.sqlite, stopped"}
    for secret in (LISTED_DSK, LISTED_DSK[:11], NO_QR):
        assert where(secret, places) == set(), secret


async def test_the_command_line_backs_up_the_stick_pings_and_gives_up(
    module_network: SharedNetwork, tmp_path: Path
) -> None:
    keys, out, box = tmp_path / "zwave-keys.json", tmp_path / "stick.nvm", tmp_path / "box.tar.gz"
    await asyncio.to_thread(lambda: write_private(keys, network_keys()))
    async with hub(tmp_path, module_network, f'keys_file = "{keys}"') as (daemon, _):
        status, text = await hubd(daemon, "do", "radio", "backup_stick", "--yes", "--out", out)
        assert status == 0, text
        content, mode = await asyncio.to_thread(lambda: (out.read_bytes(), stat.S_IMODE(out.stat().st_mode)))
        memory = await module_network.op("nvm")
        assert content == base64.b64decode(memory["data"])
        assert memory["radio"] is True
        assert mode == 0o600
        assert text.splitlines()[-2:] == [
            "  security keys: kept in keys.json",
            f"  saved as {out} ({len(content)} bytes)",
        ]
        status, text = await hubd(daemon, "backup", box)
        assert status == 0, text
        kept = await asyncio.to_thread(unpacked, box, "drivers/radio/")
        assert [kept.pop("keys.json"), *kept.values()] == [await asyncio.to_thread(keys.read_bytes), content]

        status, text = await hubd(daemon, "do", "radio", "ping", "--device", LOCK)
        assert (status, text.splitlines()[0]) == (0, "It is pinged.")
        assert f"{LOCK} answers, after " in text

        process = await spawn(daemon, "do", "radio", "include", "seconds=240")
        try:
            await until(lambda: is_in(module_network, "adding"), 20.0)
            process.send_signal(signal.SIGINT)
            shown, _ = await asyncio.wait_for(process.communicate(), 20)
        finally:
            await end(process)
        assert process.returncode == 1
        assert shown.decode().splitlines()[-2:] == ["giving up …", "cancelled"]
        assert await module_network.op("mode") == "idle"


async def test_a_new_lock_takes_the_place_of_a_dead_one(module_network: SharedNetwork, tmp_path: Path) -> None:
    async with hub(tmp_path, module_network) as (daemon, client):
        old_node = await included(daemon, client, module_network, "old lock", "Door to replace")
        device_id = (await devices(client))["Door to replace"]["device_id"]
        await client.ok("/devices/update", {"device_id": device_id, "name": "Room 101"})
        await module_network.op("dead", node=old_node)
        status, text = await hubd(daemon, "do", "radio", "ping", "--device", "Room 101")
        assert status == 1
        assert "does not answer. Check its batteries" in text
        await until(lambda: is_offline(client, "Room 101"), 10.0)

        new_node = await included(daemon, client, module_network, "new lock", "New lock")
        status, text = await hubd(daemon, "replace", "Room 101", "New lock")
        assert status == 0, text
        assert text.startswith(f"{device_id}  Room 101 is now New lock, 7e570001-dsk-")
        lock = (await devices(client))["Room 101"]
        assert (lock["device_id"], lock["nickname"]) == (device_id, "Room 101")
        assert "New lock" not in await devices(client)
        await obeys(client, module_network, device_id, new_node)

        status, text = await hubd(daemon, "do", "radio", "remove_failed_node", f"node={old_node}", "--yes")
        assert status == 0, text
        await leave(client, module_network, new_node)
        await until(lambda: is_gone(client, "Room 101"))


async def included(daemon: DaemonProcess, client: HttpCaller, network: SharedNetwork, device: str, name: str) -> int:
    """Include a lock at the command line, its digits typed beforehand; returns its node number."""
    dsk = await network.op("join", like=S2_LOCK, device=device)
    status, text = await hubd(daemon, "do", "radio", "include", f"name={name}", stdin=f"{dsk[:5]}\n")
    assert status == 0, text
    assert dsk not in text
    runs = (await client.ok("/hub/actions/runs"))["runs"]
    assert name in await devices(client)
    return int(runs[0]["result"]["facts"]["node_id"])


async def spawn(daemon: DaemonProcess, *words: str | Path, stdin: int = DEVNULL) -> Process:
    """Start the command line on the daemon's config."""
    command = [sys.executable, "-m", "hubd", *map(str, words), "--config", str(daemon.config)]
    return await asyncio.create_subprocess_exec(*command, stdin=stdin, stdout=PIPE, stderr=STDOUT)


async def hubd(daemon: DaemonProcess, *words: str | Path, stdin: str = "") -> tuple[int | None, str]:
    """Run the command line to its end; returns its status and all that it said."""
    process = await spawn(daemon, *words, stdin=PIPE)
    try:
        shown, _ = await asyncio.wait_for(process.communicate(stdin.encode()), RUN_SECONDS)
    finally:
        await end(process)
    return process.returncode, shown.decode()


async def end(process: Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.wait()


async def is_in(network: SharedNetwork, mode: str) -> bool:
    return bool(await network.op("mode") == mode)


async def is_gone(client: HttpCaller, name: str) -> bool:
    return name not in await devices(client)


async def is_offline(client: HttpCaller, name: str) -> bool:
    return (await devices(client))[name]["properties"]["online"] is False


def files(daemon: DaemonProcess) -> dict[str, bytes]:
    """Read every file of the daemon, and all it printed."""
    found = {path.name: path.read_bytes() for path in daemon.data_dir.rglob("*") if path.is_file()}
    return found | {"the log": daemon.log.read_bytes()}


def unpacked(archive: Path, folder: str) -> dict[str, bytes]:
    """Read the files of a folder of a backup of the hub."""
    with tarfile.open(archive) as tar:
        members = [member for member in tar.getmembers() if member.isfile() and member.name.startswith(folder)]
        return {member.name.removeprefix(folder): tar.extractfile(member).read() for member in members}  # type: ignore[union-attr]


def where(text: str, places: dict[str, bytes]) -> set[str]:
    return {place for place, content in places.items() if text.encode() in content}
