import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hubd import __version__
from hubd.box import Box
from hubd.cli import main
from tests.house.tree import ROOT

CONFIG = """
[hub]
name = "Test site"
data_dir = "{data_dir}"
[http]
port = 0
{http}
[drivers.site]
type = "virtual"
locks = 3
thermostats = 1
latency_ms = 0
"""


@dataclass
class Daemon:
    """A hub that runs as its own process."""

    process: subprocess.Popen[str]
    config: Path
    data_dir: Path

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


def write_config(folder: Path, http: str = "") -> Path:
    path = folder / "hubd.toml"
    path.write_text(CONFIG.format(data_dir=folder / "data", http=http), "utf-8")
    return path


def hubd(*arguments: str | Path, **options: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "hubd", *map(str, arguments)]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": ROOT} | options
    return subprocess.Popen(command, **pipes)


def start(config: Path) -> Daemon:
    data_dir = config.parent / "data"
    with (config.parent / "log").open("a") as log:
        process = hubd("run", "--config", config, stdout=log, stderr=log)
    wait(lambda: (data_dir / "url").exists() or process.poll() is not None)
    assert process.poll() is None, (config.parent / "log").read_text()
    return Daemon(process, config, data_dir)


def wait(condition: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    running = start(write_config(tmp_path_factory.mktemp("site")))
    yield running
    assert running.stop() == 0


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    """A config whose hub does not run."""
    return write_config(tmp_path)


@dataclass
class Ran:
    """How a command line ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    def run_it(*arguments: str | Path) -> Ran:
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Ran(status, out, err)

    return run_it


type Run = Callable[..., Ran]


# -- usage


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["lock"],
        ["keys"],
        ["keys", "create", "x"],
        ["keys", "create", "x", "--role", "god"],
        ["events", "--last", "0"],
    ],
)
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: hubd" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [[], ["run"], ["demo"], ["check-config"], ["keys", "create"], ["journal", "verify"]]
)
def test_every_command_has_help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([*arguments, "--help"])
    assert caught.value.code == 0
    assert len(capsys.readouterr().out) > 100


def test_python_m_hubd_is_the_same() -> None:
    with hubd("--version") as process:
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, f"hubd {__version__}\n", "")


# -- check-config


def test_a_good_config(run: Run, stopped: Path) -> None:
    plain = run("check-config", stopped)
    assert (plain.status, plain.out, plain.err) == (0, f"{stopped}: good; drivers: site (Virtual site)\n", "")
    assert run("check-config", stopped, "--json").json == {"ok": True, "name": "Test site", "drivers": ["site"]}


def test_a_bad_config(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text('[hub]\nnam = "x"\n[drivers.a]\ntype = "virtul"\n')
    plain = run("check-config", path)
    assert (plain.status, plain.out) == (2, "")
    assert plain.err.splitlines() == [
        f"hubd: {path}: [hub] nam: is not a key of this table (did you mean 'name'?)",
        (
            f"hubd: {path}: [drivers.a] type: there is no driver of type 'virtul'; installed are: salto_space, virtual,"
            " zwave (did you mean 'virtual'?)"
        ),
    ]
    told = run("check-config", path, "--json")
    assert (told.status, told.err) == (2, "")
    assert [(m["file"], m["table"], m["key"]) for m in told.json["mistakes"]] == [
        (str(path), "hub", "nam"),
        (str(path), "drivers.a", "type"),
    ]
    assert told.json["ok"] is False


@pytest.mark.parametrize("command", [["run"], ["devices"], ["keys", "list"], ["journal", "verify"]])
def test_a_config_that_is_not_there(run: Run, tmp_path: Path, command: list[str]) -> None:
    gone = run(*command, "--config", tmp_path / "gone.toml")
    assert (gone.status, gone.err) == (2, f"hubd: {tmp_path}/gone.toml: cannot be read: No such file or directory\n")


def test_the_config_is_found_by_the_environment(run: Run, stopped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUBD_CONFIG", str(stopped))
    assert "no hub is running" in run("devices").err


# -- a hub that is not there


@pytest.mark.parametrize("command", [["devices"], ["events"], ["lock", "Room 101"], ["unlock", "x"]])
def test_without_a_hub(run: Run, stopped: Path, command: list[str]) -> None:
    for _ in range(2):
        answer = run(*command, "--config", stopped)
        assert (answer.status, answer.out) == (3, "")
        assert "start it with `hubd run --config FILE`" in answer.err
        (stopped.parent / "data").mkdir(exist_ok=True)
        (stopped.parent / "data" / "url").write_text("http://127.0.0.1:1\n")
        (stopped.parent / "data" / "lock").touch()


# -- devices, events, orders


def test_devices(run: Run, daemon: Daemon) -> None:
    plain = run("devices", "--config", daemon.config)
    assert plain.status == 0
    lines = plain.out.splitlines()
    assert len(lines) == 4
    assert re.fullmatch(r"[0-9a-f-]{36}  Room 101 +virtual_lock +(un)?locked", lines[0])
    devices = run("devices", "--config", daemon.config, "--json").json
    assert {device["display_name"] for device in devices} == {"Room 101", "Room 102", "Room 103", "Climate 101"}


def test_lock_and_unlock_by_name_and_by_id(run: Run, daemon: Daemon) -> None:
    plain = run("unlock", "Room 101", "--config", daemon.config)
    assert (plain.status, plain.out) == (0, "done: the lock confirmed it\n")
    device = next(
        d for d in run("devices", "--config", daemon.config, "--json").json if d["display_name"] == "Room 101"
    )
    assert device["properties"]["locked"] is False
    told = run("lock", device["device_id"].upper(), "--config", daemon.config, "--json")
    assert (told.status, told.json["status"], told.json["action_type"]) == (0, "success", "LOCK_DOOR")


def test_a_lock_that_nobody_has(run: Run, daemon: Daemon) -> None:
    answer = run("unlock", "Room 999", "--config", daemon.config)
    assert (answer.status, answer.out) == (1, "")
    assert answer.err == "hubd: no managed lock is called 'Room 999'; see `hubd devices`\n"


def test_a_name_that_two_locks_have(run: Run, daemon: Daemon) -> None:
    devices = {d["display_name"]: d["device_id"] for d in run("devices", "--config", daemon.config, "--json").json}
    call(daemon, "/devices/update", device_id=devices["Room 103"], name="Room 102")
    try:
        answer = run("unlock", "Room 102", "--config", daemon.config)
        assert answer.status == 1
        assert answer.err.startswith("hubd: 2 locks are called 'Room 102'; say which: ")
        assert devices["Room 102"] in answer.err
        assert devices["Room 103"] in answer.err
        assert run("unlock", devices["Room 102"], "--config", daemon.config).status == 0
    finally:
        call(daemon, "/devices/update", device_id=devices["Room 103"], name=None)


def test_an_order_that_fails(run: Run, daemon: Daemon) -> None:
    devices = {d["display_name"]: d["device_id"] for d in run("devices", "--config", daemon.config, "--json").json}
    call(daemon, "/devices/simulate/disconnect", device_id=devices["Room 103"])
    try:
        answer = run("unlock", "Room 103", "--config", daemon.config)
        assert answer.status == 1
        assert "does not answer on its network" in answer.out
        assert "does not answer" in run("devices", "--config", daemon.config).out or answer.status == 1
        assert run("unlock", "Room 103", "--config", daemon.config, "--json").json["status"] == "error"
    finally:
        call(daemon, "/devices/simulate/connect", device_id=devices["Room 103"])


def call(daemon: Daemon, path: str, **params: object) -> Any:
    url = (daemon.data_dir / "url").read_text().strip()
    token = (daemon.data_dir / "owner.key").read_text().strip()
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    request = urllib.request.Request(url + path, json.dumps(params).encode(), headers)  # noqa: S310 - our own
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - likewise
        return json.load(response)


def test_events(run: Run, daemon: Daemon) -> None:
    run("unlock", "Room 101", "--config", daemon.config)
    plain = run("events", "--last", "3", "--config", daemon.config)
    lines = plain.out.splitlines()
    assert (plain.status, len(lines)) == (0, 3)
    assert "command.settled" in lines[-1]
    rows = run("events", "--last", "2", "--config", daemon.config, "--json").json
    assert [row["type"] for row in rows][-1] == "command.settled"
    assert rows[1]["seq"] == rows[0]["seq"] + 1


def test_events_as_they_happen(run: Run, daemon: Daemon) -> None:
    with hubd("events", "--follow", "--last", "1", "--json", "--config", daemon.config) as following:
        assert following.stdout is not None
        first = json.loads(following.stdout.readline())
        seen: list[dict[str, Any]] = []
        reader = threading.Thread(target=lambda: seen.extend(map(json.loads, following.stdout or ())))
        reader.start()
        run("lock", "Room 101", "--config", daemon.config)
        run("unlock", "Room 101", "--config", daemon.config)
        wait(lambda: [row["type"] for row in seen].count("command.settled") == 2)
        following.send_signal(signal.SIGINT)
        assert following.wait(10) == 1
        reader.join()
    assert [row["seq"] for row in seen] == list(range(first[0]["seq"] + 1, first[0]["seq"] + 1 + len(seen)))


def test_a_reader_who_has_seen_enough(daemon: Daemon) -> None:
    command = f"{sys.executable} -m hubd events --last 1000 --json --config {daemon.config} | head -c 10"
    piped = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=True, cwd=ROOT, timeout=20)
    assert (len(piped.stdout), piped.stderr) == (10, "")


# -- keys


def test_keys_of_a_running_hub(run: Run, daemon: Daemon) -> None:
    made = run("keys", "create", "Front desk", "--role", "viewer", "--config", daemon.config)
    assert made.status == 0
    assert re.fullmatch(r"seam_[0-9a-f]{16}_[0-9a-f]{48}\n", made.out), "only the key, so that it can be piped"
    key_id = made.out.split("_")[1]
    assert re.search(rf"^{key_id}  viewer +\S+  valid  Front desk$", run_keys(run, daemon.config), re.MULTILINE)
    revoked = run("keys", "revoke", key_id, "--config", daemon.config)
    assert revoked.status == 0
    assert "revoked 2" in revoked.out
    listed = run("keys", "list", "--json", "--config", daemon.config).json
    assert {key["name"]: key["revoked_at"] is None for key in listed}["Front desk"] is False
    assert run("keys", "revoke", "nobody", "--config", daemon.config).status == 1


def run_keys(run: Run, config: Path) -> str:
    return run("keys", "list", "--config", config).out


def test_keys_of_a_stopped_hub(run: Run, stopped: Path) -> None:
    assert run("keys", "list", "--config", stopped).out == ""
    made = run("keys", "create", "Owner", "--role", "owner", "--json", "--config", stopped)
    assert made.status == 0
    assert made.json["token"].startswith(f"seam_{made.json['key']['key_id']}_")
    plain = run("keys", "create", "Desk", "--role", "operator", "--config", stopped)
    assert plain.out.startswith("seam_")
    key_id = made.json["key"]["key_id"]
    last = run("keys", "revoke", key_id, "--config", stopped)
    assert (last.status, last.err) == (1, "hubd: key_id: is the last owner key; create another owner first\n")
    assert run("keys", "create", "x" * 81, "--role", "viewer", "--config", stopped).status == 1
    unknown = run("keys", "revoke", "nobody", "--config", stopped)
    assert (unknown.status, unknown.err.count("\n")) == (1, 1)
    assert len(run_keys(run, stopped).splitlines()) == 2


def test_keys_of_a_hub_that_is_starting(run: Run, stopped: Path) -> None:
    """It has the store and no address yet: neither way in is open."""
    with Box(stopped.parent / "data"):
        answer = run("keys", "list", "--config", stopped)
    assert answer.status == 1
    assert answer.err.endswith("is in use by another hubd process\n")


def test_keys_after_the_hub_was_killed(run: Run, stopped: Path) -> None:
    """Its address still stands there; nobody is asked at it, and the store is free."""
    daemon = start(stopped)
    daemon.process.kill()
    daemon.process.wait()
    assert (daemon.data_dir / "url").exists()
    made = run("keys", "create", "Rescue", "--role", "owner", "--config", stopped)
    assert (made.status, made.out[:5]) == (0, "seam_")
    assert run("devices", "--config", stopped).status == 3


# -- the daemon itself


def test_a_second_daemon_is_refused(run: Run, daemon: Daemon) -> None:
    second = run("run", "--config", daemon.config)
    assert (second.status, second.err) == (1, f"hubd: data_dir {daemon.data_dir} is in use by another hubd process\n")
    assert run("devices", "--config", daemon.config).status == 0


def test_a_port_that_is_taken_is_one_line(daemon: Daemon, tmp_path: Path) -> None:
    port = (daemon.data_dir / "url").read_text().strip().rsplit(":", 1)[1]
    config = tmp_path / "hubd.toml"
    config.write_text(CONFIG.format(data_dir=tmp_path / "data", http="").replace("port = 0", f"port = {port}"))
    with hubd("run", "--config", config) as second:
        _, err = second.communicate(timeout=20)
    assert second.returncode == 1
    assert f"hubd: cannot listen on 127.0.0.1 port {port}: " in err
    assert "Traceback" not in err
    assert not (tmp_path / "data" / "url").exists()


def test_a_data_dir_that_cannot_be_used(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    answer = run("run", "--config", write_config(tmp_path))
    assert answer.status == 1
    assert answer.err.startswith(f"hubd: data_dir {tmp_path}/data cannot be used: ")


def test_over_tls_with_its_own_certificate(run: Run, tmp_path: Path) -> None:
    daemon = start(write_config(tmp_path, 'host = "0.0.0.0"\ntls = "auto"'))
    try:
        assert (daemon.data_dir / "url").read_text().startswith("https://127.0.0.1:")
        assert len(run("devices", "--config", daemon.config).out.splitlines()) == 4
        printed = re.search(r"certificate SHA-256 (\S+)", (tmp_path / "log").read_text())
        assert printed is not None
        assert len(printed[1].split(":")) == 32
    finally:
        assert daemon.stop() == 0
    assert not (daemon.data_dir / "url").exists()


def test_demo(tmp_path: Path) -> None:
    with hubd("demo", "--port", "0", "--data-dir", tmp_path / "demo") as demo:
        assert demo.stdout is not None
        told = dict(line.split(maxsplit=1) for line in (demo.stdout.readline() for _ in range(3)))
        url, key, config = told["page"].strip(), Path(told["key"].strip()), Path(told["config"].strip())
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", url)
        assert key.read_text().startswith("seam_")
        with hubd("devices", "--config", config, "--json") as listing:
            out, _ = listing.communicate(timeout=20)
        assert len(json.loads(out)) == 16
        demo.send_signal(signal.SIGINT)
        assert demo.wait(20) == 0


def test_a_demo_that_has_no_place(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    answer = run("demo", "--data-dir", tmp_path / "file" / "demo", "--port", "0")
    assert answer.status == 1
    assert answer.err == f"hubd: {tmp_path}/file/demo: Not a directory\n"
    assert run("demo", "--data-dir", tmp_path / "demo", "--port", "99999").status == 2


# -- the journal


def test_verify_says_whether_the_chain_is_whole(run: Run, daemon: Daemon) -> None:
    plain = run("journal", "verify", "--config", daemon.config)
    assert plain.status == 0
    assert re.fullmatch(r"\d+ rows, 1 to \d+: the chain is whole \(0 bodies erased\)\n", plain.out)
    told = run("journal", "verify", "--json", "--config", daemon.config)
    assert (told.status, told.json["ok"], told.json["broken_at"]) == (0, True, None)


def test_verify_says_where_it_is_broken(run: Run, stopped: Path) -> None:
    for name in ("a", "b", "c"):
        run("keys", "create", name, "--role", "viewer", "--config", stopped)
    with closing(sqlite3.connect(stopped.parent / "data" / "hubd.sqlite")) as forger:
        forger.execute("UPDATE journal SET body = x'7b7d' WHERE seq = 2")
        forger.commit()
    broken = run("journal", "verify", "--config", stopped)
    assert (broken.status, broken.out) == (1, "")
    assert broken.err == "row 2: its body was changed; 1 rows before it are whole\n"
    told = run("journal", "verify", "--json", "--config", stopped)
    assert (told.status, told.json["ok"], told.json["broken_at"]) == (1, False, 2)


def test_verify_where_there_is_none(run: Run, stopped: Path) -> None:
    answer = run("journal", "verify", "--config", stopped)
    assert (answer.status, answer.err) == (1, f"hubd: there is no journal at {stopped.parent}/data/hubd.sqlite\n")


def test_the_exit_status_of_the_process_is_that_of_main(stopped: Path) -> None:
    with hubd("devices", "--config", stopped, env={**os.environ, "HUBD_CONFIG": ""}) as process:
        _, err = process.communicate(timeout=20)
    assert process.returncode == 3
    assert err.count("\n") == 1


# -- backup


def test_a_backup_beside_a_running_hub(run: Run, daemon: Daemon, tmp_path: Path) -> None:
    target = tmp_path / "box.tar.gz"
    made = run("backup", target, "--config", daemon.config)
    assert (made.status, made.err) == (0, "")
    assert re.fullmatch(rf"{target}: \d+ files, checked\. Keep it where nobody else can read it\.\n", made.out)
    again = run("backup", target, "--config", daemon.config)
    assert (again.status, again.err) == (1, f"hubd: {target} exists already; choose another name.\n")
