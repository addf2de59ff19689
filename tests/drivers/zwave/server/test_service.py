"""The launcher's command line, with a Node.js that notes how it is started; the real one is in test_service_codes."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hubd_drivers.zwave.server import service
from hubd_drivers.zwave.server.settings import draw_keys, read_keys, write_private

from tests.sims.zwave.children import HERE

NODE = """#!/bin/sh
[ "$1" != --version ] || { echo v20.11.0; exit; }
here=$(dirname "$0")
for argument; do echo "$argument"; done >"$here/argv"
env >"$here/env"
for argument; do
    case $argument in *settings.json) cp "$argument" "$here/settings.json" ;; esac
done
pwd >"$here/cwd"
[ -z "$(ls "$here/wait" 2>/dev/null)" ] || exec sleep 30
exit 7
"""
PROGRAM = (sys.executable, "-m", "hubd_drivers.zwave.server.service")


class Site:
    """What a machine has: a Node.js, keys, and directories as systemd makes them."""

    def __init__(self, directory: Path) -> None:
        self.bin = directory / "bin"
        self.bin.mkdir()
        (self.bin / "node").write_text(NODE, "utf-8")
        (self.bin / "node").chmod(0o755)
        self.keys = directory / "credentials" / "zwave-keys.json"
        self.keys.parent.mkdir()
        write_private(self.keys, draw_keys())
        self.state = directory / "state"
        self.runtime = directory / "runtime"
        self.env = {
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "STATE_DIRECTORY": str(self.state),
            "RUNTIME_DIRECTORY": str(self.runtime),
            "CREDENTIALS_DIRECTORY": str(self.keys.parent),
            "LOGLEVEL": "silly",
            "NODE_OPTIONS": "--no-such-option",
            "ZWAVEJS_EXTERNAL_CONFIG": "/somewhere",
        }

    def command(self, *more: str, stick: str = "tcp://127.0.0.1:9") -> list[str]:
        return [*PROGRAM, "run", "--stick", stick, "--prefix", str(HERE), "--port", str(free_port()), *more]

    def run(self, *more: str, stick: str = "tcp://127.0.0.1:9") -> subprocess.CompletedProcess[str]:
        line = self.command(*more, stick=stick)
        return subprocess.run(line, env=self.env, capture_output=True, text=True, check=False, timeout=30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.mark.node
def test_the_server_takes_its_place_with_settings_that_only_it_reads(site: Site) -> None:
    ended = site.run()
    assert ended.returncode == 7, ended.stderr
    argv = (site.bin / "argv").read_text().split("\n")
    assert argv[0].endswith("/@zwave-js/server/dist-esm/bin/server.js")
    assert argv[1:4] == ["tcp://127.0.0.1:9", "--host", "127.0.0.1"]
    assert {"--disable-dns-sd", "--reconnect"} <= set(argv)
    settings = site.runtime / "settings.json"
    assert stat.S_IMODE(settings.stat().st_mode) == 0o600
    written = json.loads(settings.read_bytes())
    assert json.loads((site.bin / "settings.json").read_bytes()) == written
    assert written["interview"] == {"queryAllUserCodes": True}
    assert written["storage"] == {"cacheDir": str(site.state / "cache"), "lockDir": str(site.runtime / "locks")}
    assert {name: written[name] for name in ("securityKeys", "securityKeysLongRange")} == read_keys(site.keys)
    assert (site.bin / "cwd").read_text().strip() == str(site.state)
    for directory in (site.state, site.runtime, site.state / "cache", site.state / "cache.backup"):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700


@pytest.mark.node
def test_no_key_is_in_the_arguments_the_environment_or_the_log(site: Site) -> None:
    ended = site.run()
    told = ended.stdout + ended.stderr + (site.bin / "argv").read_text() + (site.bin / "env").read_text()
    for group in read_keys(site.keys).values():
        assert not any(key in told for key in group.values())
    names = {line.partition("=")[0] for line in (site.bin / "env").read_text().split("\n")}
    assert not names & {"LOGLEVEL", "NODE_OPTIONS", "ZWAVEJS_EXTERNAL_CONFIG", "CREDENTIALS_DIRECTORY"}


@pytest.mark.node
def test_a_local_stick_is_not_waited_for_by_the_server(site: Site, tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    (tmp_path / "usb-stick").symlink_to(os.ttyname(theirs))
    assert site.run(stick=str(tmp_path / "usb-stick")).returncode == 7
    assert "--reconnect" not in (site.bin / "argv").read_text()
    os.close(ours)
    os.close(theirs)


@pytest.mark.node
def test_two_of_them_do_not_share_a_cache(site: Site) -> None:
    (site.bin / "wait").mkdir()
    (site.bin / "wait" / "yes").touch()
    with subprocess.Popen(site.command(), env=site.env, stderr=subprocess.PIPE, text=True) as first:
        assert first.stderr is not None
        while "starting zwave-js-server" not in first.stderr.readline():
            pass
        second = site.run()
        first.send_signal(signal.SIGKILL)
    assert second.returncode == 1
    assert "another hubd-zwave uses" in second.stderr
    (site.bin / "wait" / "yes").unlink()
    assert site.run().returncode == 7


@pytest.mark.node
def test_a_port_that_is_taken_is_named(site: Site) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        ended = site.run("--port", str(port))
    assert ended.returncode == 1
    assert f"port {port} of 127.0.0.1 is taken by another program" in ended.stderr


@pytest.mark.node
@pytest.mark.parametrize(
    ("more", "status", "words"),
    [
        (("--stick", ""), 2, "no stick is named"),
        (("--stick", "http://box"), 2, "tcp://HOST:PORT"),
        (("--port", "0"), 2, "from 1 to 65535"),
        (("--port", "http"), 2, "from 1 to 65535"),
        (("--prefix", "/nowhere"), 2, "hubd-zwave install --prefix /nowhere"),
        (("--keys", "/nowhere/keys.json"), 2, "hubd-zwave keys --out /nowhere/keys.json"),
        (("--state", "/proc/hubd-zwave"), 1, "cannot be made"),
        (("--host", "0.0.0.0"), 2, "unrecognized arguments"),  # noqa: S104 - that it is refused is the point
    ],
)
def test_what_is_wrong_is_said_with_a_status_that_stops_the_unit_or_does_not(
    site: Site, more: tuple[str, str], status: int, words: str
) -> None:
    ended = site.run(*more)
    assert (ended.returncode, words in ended.stderr) == (status, True), ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (site.bin / "argv").exists()


@pytest.mark.node
def test_without_keys_it_is_said_where_they_come_from(site: Site) -> None:
    del site.env["CREDENTIALS_DIRECTORY"]
    ended = site.run()
    assert (ended.returncode, "--keys FILE" in ended.stderr) == (2, True)


@pytest.mark.node
def test_a_cache_that_cannot_be_backed_up_stops_nothing(site: Site) -> None:
    site.state.mkdir()
    (site.state / "cache.backup").touch()
    ended = site.run()
    assert ended.returncode == 7
    assert "the cache could not be backed up" in ended.stderr


def test_keys_are_drawn_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "keys.json"
    assert service.main(["keys", "--out", str(path)]) == 0
    drawn = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert service.main(["keys", "--out", str(path)]) == 2
    assert "never written over" in capsys.readouterr().err
    assert path.read_bytes() == drawn
    assert service.main(["keys", "--out", str(tmp_path / "no" / "keys.json")]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_nothing_heavy_is_imported() -> None:
    code = "import sys, hubd_drivers.zwave.server.service; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30).stdout
    assert not {"hubd", "aiohttp", "asyncio", "msgspec", "zwave_js_server"} & set(loaded.split())
