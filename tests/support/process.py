"""The daemon as its own process, as systemd runs it: for crashes, signals, memory and the command line."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

START_SECONDS = 30.0


class DaemonProcess:
    """One `hubd run` on a config file. `start` it again after `kill`."""

    def __init__(self, config: Path, data_dir: Path) -> None:
        self.config = config
        self.data_dir = data_dir
        self.log = data_dir.with_name(data_dir.name + ".log")
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def url(self) -> str:
        """Where it listens."""
        return (self.data_dir / "url").read_text(encoding="utf-8").strip()

    @property
    def token(self) -> str:
        """The owner's key."""
        return (self.data_dir / "owner.key").read_text(encoding="ascii").strip()

    async def start(self) -> None:
        """Start, and wait until it is ready. Fails with the end of its log."""
        url = self.data_dir / "url"
        await asyncio.to_thread(url.unlink, missing_ok=True)
        log = await asyncio.to_thread(self.log.open, "ab")
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "hubd",
                "run",
                "--config",
                str(self.config),
                stdout=log,
                stderr=log,
                env=os.environ,
            )
        finally:
            await asyncio.to_thread(log.close)
        async with asyncio.timeout(START_SECONDS):
            while not await asyncio.to_thread(url.exists):
                if self._process.returncode is not None:
                    text = await asyncio.to_thread(self.log.read_text, encoding="utf-8", errors="replace")
                    raise AssertionError(f"hubd ended with {self._process.returncode}:\n{text[-3000:]}")
                await asyncio.sleep(0.005)

    async def kill(self) -> None:
        """Kill it as a power cut would."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()

    async def stop(self) -> int:
        """Ask it to end; returns its exit status."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.terminate()
        async with asyncio.timeout(START_SECONDS):
            return await self._process.wait()


@asynccontextmanager
async def daemon_process(
    tmp_path: Path, drivers: str, http: str = "port = 0", hub: str = ""
) -> AsyncIterator[DaemonProcess]:
    """Run the daemon as a process on a fresh data directory; ends it with the block."""
    data_dir, config = tmp_path / "data", tmp_path / "hubd.toml"
    text = f'[hub]\nname = "Test site"\ndata_dir = "{data_dir}"\n{hub}\n[http]\n{http}\n{drivers}'

    def write() -> None:
        data_dir.mkdir(exist_ok=True)
        config.write_text(text, encoding="utf-8")

    await asyncio.to_thread(write)
    daemon = DaemonProcess(config, data_dir)
    try:
        await daemon.start()
        yield daemon
    finally:
        if daemon._process is not None and daemon._process.returncode is None:  # noqa: SLF001 - our own
            daemon._process.kill()  # noqa: SLF001
            await daemon._process.wait()  # noqa: SLF001
