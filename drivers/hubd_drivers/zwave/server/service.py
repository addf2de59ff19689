"""`hubd-zwave`: installs zwave-js-server, draws the keys of a network, and runs the server.

Runs without the hub and without the driver's libraries. Exit status 2: something must be put right by hand, and
starting again would not help. 1: it failed.
"""

import argparse
import errno
import fcntl
import os
import shutil
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from hubd_drivers.zwave.server import cache as server_cache
from hubd_drivers.zwave.server import install as server_install
from hubd_drivers.zwave.server import stick
from hubd_drivers.zwave.server.settings import ServiceError, UsageError, draw_keys, read_keys, settings, write_private

HOST: Final = "127.0.0.1"
"""The server asks nobody for a password, so it listens on the loopback address and says nothing to the network."""
PREFIX: Final = Path("/opt/zwave-js")
STATE: Final = Path("/var/lib/hubd-zwave")
PASSED_ON: Final = ("PATH", "HOME", "LANG", "TZ", "NO_COLOR")
"""Of the environment; much else (LOGLEVEL, LOGTOFILE, NODE_OPTIONS, ZWAVEJS_…) would override the settings."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status; `run` does not return once the server has started."""
    arguments = _parser().parse_args(argv)
    try:
        arguments.command(arguments)
    except UsageError as error:
        say(str(error))
        return 2
    except ServiceError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def say(line: str) -> None:
    """Tell the technician, or the journal."""
    sys.stderr.write(f"hubd-zwave: {line}\n")
    sys.stderr.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hubd-zwave", description="zwave-js-server as hubd needs it")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    install = commands.add_parser("install", help="install zwave-js-server (needs Node.js, npm and the internet)")
    install.set_defaults(command=lambda given: server_install.install(given.prefix.absolute(), say))

    keys = commands.add_parser("keys", help="draw the keys of a new network")
    keys.add_argument("--out", type=Path, required=True, metavar="FILE", help="where to; it must not exist yet")
    keys.set_defaults(command=_keys)

    run = commands.add_parser("run", help="run the server until it is stopped or its stick is pulled")
    run.add_argument("--stick", required=True, help="a name from /dev/serial/by-id, or tcp://HOST:PORT")
    run.add_argument("--port", type=_port, default=3000, help="of the websocket on 127.0.0.1 (default: 3000)")
    run.add_argument("--keys", type=Path, metavar="FILE", help="default: the credential zwave-keys.json")
    run.add_argument("--state", type=Path, metavar="DIR", help=f"default: $STATE_DIRECTORY, else {STATE}")
    run.set_defaults(command=_run)

    for command in (install, run):
        command.add_argument("--prefix", type=Path, default=PREFIX, help=f"where it is installed (default: {PREFIX})")
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 2**16:
        raise argparse.ArgumentTypeError("must be a number from 1 to 65535")
    return int(text)


def _keys(given: argparse.Namespace) -> None:
    os.umask(0o077)
    try:
        write_private(given.out, draw_keys())
    except FileExistsError as error:
        raise UsageError(f"{given.out} exists. Keys that devices were included with are never written over.") from error
    except OSError as error:
        raise ServiceError(f"{given.out} cannot be written: {error.strerror}.") from error
    say(f"{given.out} holds new keys. Keep a copy elsewhere: without them each secure device must be included anew")


def _run(given: argparse.Namespace) -> None:
    os.umask(0o077)  # the cache holds PINs
    keys = read_keys(_keys_file(given.keys))
    node = server_install.find_node()
    prefix = given.prefix.absolute()
    server_install.check(prefix)
    state = given.state or Path(os.environ.get("STATE_DIRECTORY", "").partition(":")[0] or STATE)
    state, runtime = _directories(state.absolute())
    _hold(state)
    is_remote = stick.is_remote(given.stick)
    if not is_remote:
        stick.wait_for(given.stick, say)
    _check_port(given.port)
    _care_for_cache(state)
    config = _write_settings(settings(keys, state / "cache", runtime / "locks"), runtime)
    where = ("--host", HOST, "--port", str(given.port), "--disable-dns-sd", "--config", str(config))
    # A server that has lost its stick for good ends, and the next start waits for the stick, looking each second.
    # With --reconnect it tries by itself, at ever longer pauses; that is for a stick that nobody here can look for.
    command = [node, str(prefix / server_install.SCRIPT), given.stick, *where, *(["--reconnect"] if is_remote else [])]
    say(f"starting zwave-js-server for {given.stick} on {HOST}:{given.port}")
    os.chdir(state)
    os.execve(node, command, {name: os.environ[name] for name in PASSED_ON if name in os.environ})  # noqa: S606


def _keys_file(given: Path | None) -> Path:
    if given is not None:
        return given
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    if directory is None:
        raise UsageError("no keys are given: --keys FILE, or the systemd credential zwave-keys.json")
    return Path(directory, "zwave-keys.json")


def _directories(state: Path) -> tuple[Path, Path]:
    """Make the state directory, and the runtime directory with an empty one for zwave-js's locks."""
    runtime = Path(os.environ.get("RUNTIME_DIRECTORY", "").partition(":")[0] or state / "run")
    try:
        for directory in (state, runtime):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            directory.chmod(0o700)
    except OSError as error:
        raise ServiceError(f"{error.filename} cannot be made or used: {error.strerror}.") from error
    return state, runtime


def _hold(state: Path) -> None:
    """Hold the state directory for as long as this process and the server that takes its place live."""
    held = os.open(state / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise ServiceError(f"another hubd-zwave uses {state}; stop it first: systemctl stop hubd-zwave") from error
    os.set_inheritable(held, True)  # noqa: FBT003 - the standard library's


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            why = "is taken by another program (another zwave-js-server?)"
            reason = why if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
            raise ServiceError(f"port {port} of {HOST} {reason}; stop that, or choose one with --port") from error


def _care_for_cache(state: Path) -> None:
    try:
        for line in server_cache.care_for(state / "cache", state / "cache.backup"):
            say(line)
    except OSError as error:
        say(f"the cache could not be backed up or restored ({error.strerror}: {error.filename}); starting all the same")


def _write_settings(content: dict[str, object], runtime: Path) -> Path:
    path = runtime / "settings.json"
    shutil.rmtree(runtime / "locks", ignore_errors=True)  # whoever left one there is gone: see `_hold`
    try:
        (runtime / "locks").mkdir()
        path.unlink(missing_ok=True)
        write_private(path, content)
    except OSError as error:
        raise ServiceError(f"{path} cannot be written: {error.strerror}.") from error
    return path


if __name__ == "__main__":
    sys.exit(main())
