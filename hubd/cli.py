"""The `hubd` command. Exit status: 0 done, 1 refused or failed, 2 wrong usage or configuration, 3 no hub to talk to."""

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec

from hubd import __version__, care, codes, doctor, inventory, replacing, sim, tapes
from hubd.box import URL_FILE
from hubd.client import Client, ClientError
from hubd.config import Config, ConfigError, load
from hubd.model.errors import HubError
from hubd.terminal import plain

DEFAULT_CONFIG = "/etc/hubd/hubd.toml"
DONE, FAILED, USAGE, NO_HUB = 0, 1, 2, 3

_NO_HUB = {"hub_not_running", "hub_not_reachable", "data_dir_unreadable", "owner_key_unreadable", "stream_broken"}
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where a hub that listens everywhere is reached from here
_DEMO = """# A demo site, written by `hubd demo`.
[hub]
name = "Demo site"
data_dir = {data_dir}

[http]
port = {port}

[drivers.demo]
type = "virtual"
locks = 12
thermostats = 4
latency_ms = 300
"""


def main(argv: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    parser = _parser()
    arguments, rest = parser.parse_known_args(argv)
    if rest and not care.take(arguments, rest):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    action: Callable[[argparse.Namespace], int] = arguments.action
    try:
        status = action(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        return FAILED
    except (HubError, OSError) as error:
        return _explain(error)
    return status


def _explain(error: HubError | OSError) -> int:
    match error:
        case ConfigError(mistakes=mistakes):
            for mistake in mistakes:
                _complain(str(mistake))
            return USAGE
        case HubError(code=code, message=message):
            _complain(message)
            return NO_HUB if code in _NO_HUB else FAILED
        case OSError(strerror=reason, filename=name):
            _complain(": ".join(str(part) for part in (name, reason or error) if part))
            return FAILED


def _complain(message: str) -> None:
    print(f"hubd: {plain(message)}", file=sys.stderr)


# -- the daemon --------------------------------------------------------------------------------------------------------


def _run(arguments: argparse.Namespace) -> int:
    return _daemon(load(arguments.config), lambda _: None)


def _demo(arguments: argparse.Namespace) -> int:
    data_dir = arguments.data_dir or _demo_dir()
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = data_dir / "demo.toml"
    path.write_text(_DEMO.format(data_dir=json.dumps(str(data_dir.resolve())), port=arguments.port), encoding="utf-8")

    def tell(url: str) -> None:
        print(f"page   {url}/\nkey    {data_dir / 'owner.key'}\nconfig {path}", flush=True)

    return _daemon(load(path), tell)


def _demo_dir() -> Path:
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "hubd-demo"


def _daemon(config: Config, on_ready: Callable[[str], None]) -> int:
    from hubd import tls  # noqa: PLC0415 - the client commands start faster without the daemon
    from hubd.app import Running, serve  # noqa: PLC0415
    from hubd.box import Box  # noqa: PLC0415
    from hubd.driver.files import write_new  # noqa: PLC0415

    _log(config.hub.log_level.upper())
    with Box(config.data_dir) as box:
        context = tls.context(config.http, config.data_dir)
        if config.http.tls == "auto":
            print(f"certificate SHA-256 {tls.fingerprint(config.data_dir / tls.CERTIFICATE)}", flush=True)
        url_file = config.data_dir / URL_FILE

        def ready(running: Running) -> None:
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, running.stop)
            host = _ANY.get(config.http.host, config.http.host)
            url = f"{running.server.scheme}://{f'[{host}]' if ':' in host else host}:{running.server.port}"
            try:
                write_new(url_file, url + "\n")
            except OSError as error:
                raise HubError("data_dir_unusable", f"{url_file} cannot be written: {error.strerror}") from error
            logging.getLogger("hubd").info("ready at %s", url)
            on_ready(url)

        try:
            asyncio.run(serve(config, box, tls=context, on_ready=ready))
        finally:
            url_file.unlink(missing_ok=True)
    return DONE


def _log(level: str) -> None:
    """Set up logging. Only hubd's own loggers go down to DEBUG: libraries write there what passes through them."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)-7s %(name)s: %(message)s")
    if level != "DEBUG":
        logging.getLogger().setLevel(level)
    for name in ("hubd", "hubd_drivers"):
        logging.getLogger(name).setLevel(level)


# -- files -------------------------------------------------------------------------------------------------------------


def _check_config(arguments: argparse.Namespace) -> int:
    try:
        config = load(arguments.file)
    except ConfigError as error:
        if arguments.json:
            print(json.dumps({"ok": False, "mistakes": [msgspec.structs.asdict(m) for m in error.mistakes]}))
            return USAGE
        raise
    drivers = [f"{table.id} ({table.manifest.title})" for table in config.drivers]
    if arguments.json:
        print(json.dumps({"ok": True, "name": config.hub.name, "drivers": [table.id for table in config.drivers]}))
    else:
        print(f"{arguments.file}: good; drivers: {', '.join(drivers) or 'none'}")
    return DONE


def _journal_verify(arguments: argparse.Namespace) -> int:
    from hubd.box import DATABASE  # noqa: PLC0415
    from hubd.store.database import Database  # noqa: PLC0415
    from hubd.store.retention import Verdict, verify  # noqa: PLC0415

    path = load(arguments.config).data_dir / DATABASE
    if not path.exists():
        raise HubError("no_journal", f"there is no journal at {path}")

    async def check() -> Verdict:
        database = await Database.open(path)
        try:
            return await verify(database)
        finally:
            await database.close()

    verdict = asyncio.run(check())
    is_whole = verdict.broken_at is None
    if arguments.json:
        print(json.dumps({"ok": is_whole, **{name: getattr(verdict, name) for name in verdict.__struct_fields__}}))
    elif is_whole:
        rows = f"{verdict.rows} rows, {verdict.first} to {verdict.last}"
        print(f"{rows}: the chain is whole ({verdict.erased} bodies erased)")
    else:
        print(f"row {verdict.broken_at}: {verdict.reason}; {verdict.rows} rows before it are whole", file=sys.stderr)
    return DONE if is_whole else FAILED


# -- talking to a running hub ------------------------------------------------------------------------------------------


def _client(config: Config) -> Client:
    return Client(config.data_dir, Path(config.http.tls_certificate) if config.http.tls == "files" else None)


type Talk = Callable[[Client, argparse.Namespace], Coroutine[Any, Any, int]]


def _talk(talk: Talk) -> Callable[[argparse.Namespace], int]:
    def action(arguments: argparse.Namespace) -> int:
        client = _client(load(arguments.config))

        async def run() -> int:
            async with client:
                return await talk(client, arguments)

        return asyncio.run(run())

    return action


def _show(arguments: argparse.Namespace, data: object, lines: list[str]) -> int:
    for line in [json.dumps(data)] if arguments.json else map(plain, lines):
        print(line)
    return DONE


async def _events(client: Client, arguments: argparse.Namespace) -> int:
    answer = await client.call("/hub/journal", after=-arguments.last, limit=arguments.last)
    _show(arguments, answer["rows"], [_event_line(row) for row in answer["rows"]])
    if arguments.follow:
        async for row in client.follow(answer["head"]):
            print(json.dumps(row) if arguments.json else plain(_event_line(row)), flush=True)
    return DONE


def _event_line(row: dict[str, Any]) -> str:
    about = row["device_id"] or row["instance"] or "-"
    body = {name: value for name, value in (row["body"] or {}).items() if name not in {"type", "device"}}
    return f"{row['seq']:>8}  {row['created_at']}  {row['type']:<20}  {about:<36}  {json.dumps(body)}"


async def _turn(client: Client, arguments: argparse.Namespace) -> int:
    locks = (await client.call("/locks/list"))["locks"]
    doors = {lock["device_id"]: lock["display_name"] for lock in locks}
    entrances: dict[str, str] = {}
    if arguments.command == "unlock":  # a door of an access control system has nothing that could be locked from afar
        entrances = {one["acs_entrance_id"]: one["display_name"] for one in await inventory.entrances(client)}
    wanted = [key for key in doors | entrances if key == arguments.device.lower()]
    wanted = wanted or [key for key, name in (doors | entrances).items() if name == arguments.device]
    if not wanted:
        raise ClientError("device_not_found", f"no managed lock is called {arguments.device!r}; see `hubd devices`")
    if len(wanted) > 1:
        found = ", ".join(wanted)
        raise ClientError(
            "device_ambiguous", f"{len(wanted)} locks are called {arguments.device!r}; say which: {found}"
        )
    if wanted[0] in entrances:
        answer = await client.call("/acs/entrances/unlock", acs_entrance_id=wanted[0])
    else:
        answer = await client.call(f"/locks/{arguments.command}_door", device_id=wanted[0])
    attempt = answer["action_attempt"]
    error = attempt["error"]
    words = "pending; see `hubd events`" if attempt["status"] == "pending" else "done: the lock confirmed it"
    _show(arguments, attempt, [words if error is None else f"{error['type']}: {error['message']}"])
    return DONE if attempt["status"] == "success" else FAILED


async def _clock(client: Client, arguments: argparse.Namespace) -> int:
    answer = await client.call("/hub/clock/confirm" if arguments.clock_command == "confirm" else "/hub/clock")
    lines = [f"{answer['now']}, {'relied on' if answer['is_trusted'] else 'not relied on'}"]
    _show(arguments, answer, lines + ([answer["doubt"]] if answer.get("doubt") else []))
    return DONE if answer["is_trusted"] else FAILED


def _backup(arguments: argparse.Namespace) -> int:
    from hubd.backup import back_up  # noqa: PLC0415 - it brings SQLite along

    contents = back_up(load(arguments.config).data_dir, arguments.file)
    said = f"{arguments.file}: {len(contents.files)} files, checked. Keep it where nobody else can read it."
    return _show(arguments, msgspec.to_builtins(contents), [said])


# -- keys: through the running hub, or straight into the store of a stopped one ----------------------------------------


def _keys(arguments: argparse.Namespace) -> int:
    config = load(arguments.config)
    try:
        client = _client(config)
    except ClientError as error:
        if error.code != "hub_not_running":
            raise
        return asyncio.run(_keys_offline(arguments, config))

    async def run() -> int:
        async with client:
            return await _keys_online(client, arguments)

    return asyncio.run(run())


async def _keys_online(client: Client, arguments: argparse.Namespace) -> int:
    match arguments.keys_command:
        case "create":
            answer = await client.call("/hub/keys/create", name=arguments.name, role=arguments.role)
            return _show(arguments, answer, [answer["token"]])
        case "revoke":
            answer = await client.call("/hub/keys/revoke", key_id=arguments.key_id)
            return _show(arguments, answer["key"], [_key_line(answer["key"])])
        case _:
            keys = (await client.call("/hub/keys/list"))["keys"]
            return _show(arguments, keys, [_key_line(key) for key in keys])


async def _keys_offline(arguments: argparse.Namespace, config: Config) -> int:
    from hubd.offline import with_keys  # noqa: PLC0415 - it brings the store along

    async with with_keys(config.data_dir) as keys:
        match arguments.keys_command:
            case "create":
                key, token = await keys.create(arguments.name, arguments.role, "command line")
                return _show(arguments, {"key": msgspec.to_builtins(key), "token": token}, [token])
            case "revoke":
                revoked = msgspec.to_builtins(await keys.revoke(arguments.key_id, "command line"))
                return _show(arguments, revoked, [_key_line(revoked)])
            case _:
                every = msgspec.to_builtins(keys.list())
                return _show(arguments, every, [_key_line(key) for key in every])


def _key_line(key: dict[str, Any]) -> str:
    state = f"revoked {key['revoked_at']}" if key["revoked_at"] else "valid"
    return f"{key['key_id']}  {key['role']:<8}  {key['created_at']}  {state}  {key['name']}"


# -- arguments ---------------------------------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hubd", description="Site gateway daemon for locks and thermostats.")
    parser.add_argument("--version", action="version", version=f"hubd {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    config = argparse.ArgumentParser(add_help=False)
    default = Path(os.environ.get("HUBD_CONFIG", DEFAULT_CONFIG))
    config.add_argument(
        "--config", type=Path, default=default, metavar="FILE", help=f"configuration (default {default})"
    )
    output = argparse.ArgumentParser(add_help=False)
    output.add_argument("--json", action="store_true", help="print JSON")

    def add(
        name: str, words: str, action: Callable[[argparse.Namespace], int], *parents: argparse.ArgumentParser
    ) -> Any:
        command = commands.add_parser(name, help=words, description=words, parents=list(parents))
        command.set_defaults(action=action)
        return command

    add("run", "Run the daemon.", _run, config)
    demo = add("demo", "Run a demo site of virtual devices.", _demo)
    demo.add_argument("--data-dir", type=Path, metavar="DIR", help=f"where it keeps its data (default {_demo_dir()})")
    demo.add_argument("--port", type=int, default=8470, metavar="N", help="port of page and API (default 8470, 0: any)")
    check = add("check-config", "Check a configuration file and list every mistake.", _check_config, output)
    check.add_argument("file", type=Path, metavar="FILE")
    listing = add("devices", "List the devices of the running hub.", _talk(inventory.devices), config, output)
    listing.add_argument("--long", action="store_true", help="with model, firmware, battery and link")
    doctor.add(add, config, output)
    care.add(add, _talk, config, output)
    replacing.add(add, _talk, config, output)
    codes.add(commands, _talk, config, output)
    events = add("events", "Show the journal of the running hub.", _talk(_events), config, output)
    events.add_argument("--follow", action="store_true", help="go on as things happen")
    events.add_argument("--last", type=_count, default=20, metavar="N", help="how many to start with (default 20)")
    for name in ("lock", "unlock"):
        turn = add(name, f"{name.capitalize()} a door and say how it ended.", _talk(_turn), config, output)
        turn.add_argument("device", metavar="DEVICE", help="id or name of the lock")
    clock = add("clock", "Say what time the hub goes by, and whether it relies on it.", _talk(_clock), config, output)
    words = "confirm: the clock of this box is right, though nothing proves it"
    clock.add_argument("clock_command", nargs="?", choices=("confirm",), help=words)
    keep = add("backup", "Write all that makes this box this box into one file.", _backup, config, output)
    keep.add_argument("file", type=Path, metavar="FILE", help="such as box.tar.gz; must not exist yet")
    _add_keys(commands, config, output)
    tapes.add(commands, config)
    sim.add(add)
    journal = commands.add_parser("journal", help="Look after the journal.", description="Look after the journal.")
    verify = journal.add_subparsers(dest="journal_command", required=True, metavar="COMMAND").add_parser(
        "verify", help="Check every row and link of the chain.", parents=[config, output]
    )
    verify.set_defaults(action=_journal_verify)
    return parser


def _add_keys(commands: Any, config: argparse.ArgumentParser, output: argparse.ArgumentParser) -> None:
    keys = commands.add_parser("keys", help="Look after API keys.", description="Look after API keys.")
    inner = keys.add_subparsers(dest="keys_command", required=True, metavar="COMMAND")
    create = inner.add_parser("create", help="Make a key and print it, once.", parents=[config, output])
    create.add_argument("name", metavar="NAME", help="what the key is for")
    create.add_argument("--role", required=True, choices=("owner", "operator", "viewer"), help="how much it may")
    listing = inner.add_parser("list", help="List the keys.", parents=[config, output])
    revoke = inner.add_parser("revoke", help="Take a key back, at once.", parents=[config, output])
    revoke.add_argument("key_id", metavar="KEY_ID", help="first column of `hubd keys list`")
    for command in (create, listing, revoke):
        command.set_defaults(action=_keys)


def _count(text: str) -> int:
    value = int(text)
    if not 0 < value <= 1000:  # noqa: PLR2004 - as much as one answer holds
        raise argparse.ArgumentTypeError("must be 1 to 1000")
    return value
