"""`hubd record` and `hubd replay`: the traffic of a driver's link into a file, and a hub that lives on such a file."""

import argparse
import asyncio
import gzip
import json
import logging
import os
import signal
import sys
import tempfile
import time
import zlib
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, ExitStack, aclosing
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import msgspec

from hubd.box import URL_FILE
from hubd.client import Client, ClientError
from hubd.config import Config, DriverTable, FilterKeys, load
from hubd.driver import registry
from hubd.driver.clock import SystemClock
from hubd.driver.protocol import Manifest
from hubd.driver.recording import Header, Recording, RecordingError, read, read_header
from hubd.model.command import Order
from hubd.model.errors import HubError
from hubd.terminal import plain

if TYPE_CHECKING:
    from hubd.app import Running

LOG = logging.getLogger(__name__)

DONE, FAILED = 0, 1
MOST_SECONDS: Final = 3600
ORDER_PATIENCE: Final = 10.0
"""Seconds that a recorded order waits until the hub knows its device."""

_GZIP: Final = b"\x1f\x8b"
_CONFIG: Final = "replay.toml"
_HUB: Final = """# A hub that lives on a recording, written by `hubd replay`.
[hub]
name = "Replay"
data_dir = {data_dir}

[http]
port = {port}
"""


def add(commands: Any, config: argparse.ArgumentParser) -> None:
    """Add both commands to the command line; `config` is the parent that has `--config`."""
    words = "Keep the traffic of a driver's link in a file, without PINs and keys, to be looked at elsewhere."
    record = commands.add_parser("record", help=words, description=words, parents=[config])
    record.add_argument("driver", metavar="DRIVER", help="id of its table in the config: zwave for [drivers.zwave]")
    record.add_argument("--out", type=Path, required=True, metavar="FILE", help="a new file; packed if it ends in .gz")
    record.add_argument("--seconds", type=_seconds, default=60, metavar="N", help="how long (default 60, up to 3600)")
    record.set_defaults(action=_record)
    words = "Run a hub on a recording: the same devices, the same events."
    replay = commands.add_parser("replay", help=words, description=words)
    replay.add_argument("file", type=Path, metavar="FILE", help="what `hubd record` wrote")
    replay.add_argument("--data-dir", type=Path, metavar="DIR", help="where it keeps its data (default: nowhere)")
    replay.add_argument("--port", type=int, default=8470, metavar="N", help="port of page and API (default 8470)")
    replay.add_argument("--speed", type=_speed, default=1.0, metavar="X", help="times as fast (default 1, 0.1 to 20)")
    replay.set_defaults(action=_replay)


def _seconds(text: str) -> int:
    value = int(text)
    if not 1 <= value <= MOST_SECONDS:
        raise argparse.ArgumentTypeError(f"must be 1 to {MOST_SECONDS}")
    return value


def _speed(text: str) -> float:
    value = float(text)
    if not 0.1 <= value <= 20:  # noqa: PLR2004 - beyond it the machine's own delays are no longer small
        raise argparse.ArgumentTypeError("must be 0.1 to 20")
    return value


# -- record ------------------------------------------------------------------------------------------------------------


class File:
    """A recording that is being written, for its owner alone; made with the first bytes. Blocking."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = 0
        self.last = b""
        self._rest = b""
        self._out: BinaryIO | gzip.GzipFile | None = None
        self._raw: BinaryIO | None = None
        self._turn = Lock()
        self._is_closed = False

    def take(self, chunk: bytes) -> None:
        """Write the whole lines of what came; blank ones only say that the hub is there. Once closed: nothing."""
        with self._turn:
            if not self._is_closed:
                self._take(chunk)

    def _take(self, chunk: bytes) -> None:
        *whole, self._rest = (self._rest + chunk).split(b"\n")
        lines = [text for text in whole if text.strip()]
        if not lines:
            return
        if self._out is None:
            self._open(lines[0])
        self.lines += len(lines)
        self.last = lines[-1]
        if self._out is not None:
            self._out.write(b"".join(text + b"\n" for text in lines))
            self._out.flush()

    def close(self) -> int:
        """Return the size in bytes. Ctrl-C may find a thread in the middle of a line: it is let through first."""
        with self._turn:
            self._is_closed = True
            if self._out is None or self._raw is None:
                return 0
            self._out.close()
            self._raw.close()
            return self.path.stat().st_size

    def _open(self, first: bytes) -> None:
        read_header(first + b"\n")
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._raw = os.fdopen(handle, "wb")
        is_packed = self.path.suffix == ".gz"
        self._out = gzip.GzipFile(fileobj=self._raw, mode="wb", mtime=0) if is_packed else self._raw


def _record(arguments: argparse.Namespace) -> int:
    config = load(arguments.config)
    client = Client(config.data_dir, Path(config.http.tls_certificate) if config.http.tls == "files" else None)
    if arguments.out.exists():
        raise HubError("file_exists", f"{arguments.out} is there already; give the recording a name of its own")
    return asyncio.run(_keep(client, arguments.driver, arguments.seconds, File(arguments.out)))


async def _keep(client: Client, driver: str, seconds: int, file: File) -> int:
    begun = time.monotonic()

    async def receive() -> None:
        async with client, aclosing(client.stream("/hub/drivers/record", instance=driver, seconds=seconds)) as chunks:
            async for chunk in chunks:
                if not file.lines:
                    print(f"recording {driver} for {seconds} s; Ctrl-C ends it earlier", file=sys.stderr, flush=True)
                await asyncio.to_thread(file.take, chunk)

    loop, receiving = asyncio.get_running_loop(), asyncio.create_task(receive())
    loop.add_signal_handler(signal.SIGINT, receiving.cancel)
    try:
        await asyncio.wait({receiving})
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        size = await asyncio.to_thread(file.close)
    error = None if receiving.cancelled() else receiving.exception()
    if error is not None and not (file.lines and isinstance(error, ClientError)):
        raise error
    return _told(file, size, time.monotonic() - begun, error)


def _told(file: File, size: int, seconds: float, error: BaseException | None) -> int:
    """Say what was kept; the end frame of a whole recording says how it ended."""
    end = msgspec.json.decode(file.last, type=dict[str, Any]) if file.lines > 1 else {}
    has_end = end.get("way") == "end"
    frames = max(0, file.lines - 1 - has_end)
    print(f"{file.path}: {frames} messages in {seconds:.0f} s, {size} bytes; PINs, keys and names of users are starred")
    if not frames:
        print("The driver had no connection meanwhile, so there is nothing to replay.", file=sys.stderr)
    if error is not None:
        print(f"hubd: {error}; what came before that is in the file", file=sys.stderr)
    elif has_end and end.get("data") != "time_over":
        reason = plain(str(end.get("data")))
        print(f"hubd: it ended early ({reason}); what came before that is in the file", file=sys.stderr)
    else:
        return DONE if frames else FAILED
    return FAILED


# -- replay ------------------------------------------------------------------------------------------------------------


class QuickClock(SystemClock):
    """The machine's clock; what it measures passes `speed` times as fast."""

    def __init__(self, speed: float) -> None:
        self._speed = speed

    def monotonic(self) -> float:
        """See `Clock.monotonic`."""
        return super().monotonic() * self._speed

    async def sleep(self, seconds: float) -> None:
        """See `Clock.sleep`."""
        await super().sleep(seconds / self._speed)

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """See `Clock.timeout`."""
        return super().timeout(seconds / self._speed)


class Orders:
    """Gives the recorded orders to the hub once more, in the name of the recording."""

    def __init__(self, instance: str, clock: SystemClock) -> None:
        self._instance = instance
        self._clock = clock
        self._running: asyncio.Future[Running] = asyncio.get_running_loop().create_future()

    def begin(self, running: "Running") -> None:
        """Take the hub that runs."""
        self._running.set_result(running)

    async def give(self, data: Mapping[str, object]) -> None:
        """See `hubd.driver.Order`. What the hub does not take is logged."""
        native_id = str(data.get("native_id"))
        try:
            async with self._clock.timeout(ORDER_PATIENCE):
                device_id = await self._device(native_id)
            command = msgspec.convert({**data, "device_id": device_id}, Order)
            await (await self._running).hub.submit(command, "recording")
        except TimeoutError:
            LOG.warning("an order of the recording is left out: the hub does not know device %s", native_id)
        except msgspec.ValidationError as error:
            LOG.warning("an order of the recording is left out: %s", error)
        except HubError as error:
            LOG.warning("an order of the recording was not taken: %s", error.message)

    async def _device(self, native_id: str) -> str:
        hub = (await self._running).hub
        while True:
            for record in hub.devices.values():
                if record.device.instance == self._instance and record.device.description.native_id == native_id:
                    return record.device.device_id
            await self._clock.sleep(0.1)


def read_file(path: Path) -> Recording:
    """Read a recording, packed or not. Raises `RecordingError` and `OSError`."""
    with path.open("rb") as raw, ExitStack() as stack:
        is_packed = raw.read(2) == _GZIP
        raw.seek(0)
        file = stack.enter_context(gzip.GzipFile(fileobj=raw)) if is_packed else raw
        try:
            return read(file.readline)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise RecordingError("recording_damaged", f"{path} is damaged: its packing breaks off") from error


def _replay(arguments: argparse.Namespace) -> int:
    recording = read_file(arguments.file)
    manifest = registry.load(recording.header.driver)
    if manifest.replay is None:
        raise RecordingError("not_recordable", f"a driver of type {manifest.type!r} cannot live on a recording")
    with ExitStack() as stack:
        data_dir = arguments.data_dir or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hubd-replay-")))
        config = load(_config(data_dir, arguments.port))
        _run(config, recording, manifest, arguments.speed)
    return DONE


def _config(data_dir: Path, port: int) -> Path:
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = data_dir / _CONFIG
    if not path.exists() and any(data_dir.iterdir()):
        raise HubError("data_dir_not_empty", f"{data_dir} holds something else; a replay needs a directory of its own")
    path.write_text(_HUB.format(data_dir=json.dumps(str(data_dir.resolve())), port=port), encoding="utf-8")
    return path


def _run(config: Config, recording: Recording, manifest: Manifest, speed: float) -> None:
    from hubd.box import Box  # noqa: PLC0415 - `hubd record` needs no daemon

    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)-7s %(name)s: %(message)s")
    url_file = config.data_dir / URL_FILE
    with Box(config.data_dir) as box:
        try:
            asyncio.run(_live(config, box, recording, manifest, speed))
        finally:
            url_file.unlink(missing_ok=True)


async def _live(config: Config, box: Any, recording: Recording, manifest: Manifest, speed: float) -> None:
    from hubd.app import serve  # noqa: PLC0415 - as above
    from hubd.driver.files import write_new  # noqa: PLC0415

    clock = QuickClock(speed)
    orders = Orders(manifest.type, clock)

    def ready(running: "Running") -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, running.stop)
        url = f"http://127.0.0.1:{running.server.port}"
        write_new(config.data_dir / URL_FILE, url + "\n")
        orders.begin(running)
        print(_words(recording, speed, url, config.data_dir), flush=True)

    if manifest.replay is None:
        return
    async with manifest.replay(recording, clock, orders.give) as driver:
        table = DriverTable(id=manifest.type, manifest=manifest, filters=FilterKeys(type=manifest.type), config=driver)
        await serve(msgspec.structs.replace(config, drivers=(table,)), box, clock=clock, on_ready=ready)


def _words(recording: Recording, speed: float, url: str, data_dir: Path) -> str:
    header: Header = recording.header
    seconds = recording.frames[-1].t if recording.frames else 0.0
    lines = (
        f"page   {url}/",
        f"key    {data_dir / 'owner.key'}",
        f"config {data_dir / _CONFIG}",
        f"plays  {header.driver} of {header.recorded_at:%Y-%m-%d %H:%M} UTC in {seconds / speed:.0f} s; Ctrl-C ends it",
    )
    return "\n".join(lines)
