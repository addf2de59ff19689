"""The daemon as a process, for tests that are not coroutines: fuzzers bring their own HTTP client."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

START_SECONDS = 30.0

CONFIG = """
[hub]
data_dir = "{data}"
[http]
port = 0
requests_per_second = 100000
[drivers.site]
type = "virtual"
locks = 50
thermostats = 5
latency_ms = 0
"""


@dataclass
class Daemon:
    """Where it listens, the owner's key, and its log."""

    url: str
    token: str
    log: Path

    def ok(self, path: str, body: Any = None) -> dict[str, Any]:
        """Call a route that must answer 200."""
        headers = {"authorization": f"Bearer {self.token}"}
        request = Request(self.url + path, json.dumps(body or {}).encode(), headers, method="POST")  # noqa: S310
        with urlopen(request, timeout=10) as response:  # noqa: S310 - our own address
            found: dict[str, Any] = json.load(response)
        return found


@contextmanager
def running_daemon(folder: Path) -> Iterator[Daemon]:
    """Run `hubd run` on a virtual site of 50 locks; at the end it must still live and have failed on nothing."""
    data, config, log = folder / "data", folder / "hubd.toml", folder / "hubd.log"
    data.mkdir()
    config.write_text(CONFIG.format(data=data), encoding="utf-8")
    command = [sys.executable, "-m", "hubd", "run", "--config", str(config)]
    with log.open("ab") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            deadline = time.monotonic() + START_SECONDS
            while not (data / "url").exists():
                assert process.poll() is None, log.read_text(errors="replace")
                assert time.monotonic() < deadline, log.read_text(errors="replace")
                time.sleep(0.02)
            url, token = ((data / name).read_text(encoding="ascii").strip() for name in ("url", "owner.key"))
            yield Daemon(url, token, log)
            assert process.poll() is None, log.read_text(errors="replace")
        finally:
            process.terminate()
            process.wait(START_SECONDS)
    assert "Traceback" not in log.read_text(errors="replace")
