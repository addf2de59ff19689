"""Seam's own SDKs, unchanged, against the daemon as a process: only their endpoint differs from a cloud's."""

import asyncio
import json
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.hubd.api.caller import HttpCaller
from tests.scenarios.client import client_of_process
from tests.sims.zwave.harness import ZwaveNetwork
from tests.support.process import daemon_process

pytestmark = [pytest.mark.scenario, pytest.mark.node]

ROOT = Path(__file__).parents[2]
SDK = ROOT / "tests" / "sdk"
LIMIT = 30.0
STEPS = 15
"""Lines of a client's report, of locks as of codes: the SDK, thirteen steps and the sum."""
CLIMATE_STEPS = 16
"""Of thermostats there are fourteen."""
ACCESS_STEPS = 13
"""Of an access control system there are eleven."""
CLIENTS = ("client", "codes", "thermostats", "access")
VIRTUAL = '[drivers.site]\ntype = "virtual"\nlocks = 3\nthermostats = 1\nlatency_ms = 150\n'


class Sdk(NamedTuple):
    """How its clients are called: of locks, codes, thermostats and access systems; and what the SDK calls itself."""

    command: list[str]
    codes: list[str]
    thermostats: list[str]
    access: list[str]
    version: str


def missing(what: str, target: str) -> None:
    """Fail with the sentence what to run."""
    words = f"{what} is missing: run `make test`, which installs what the tests need (or `make {target}` alone)"
    pytest.fail(words, pytrace=False)


def python_3() -> Sdk:
    return _python(sys.executable, "seam 3.18.")


def python_1() -> Sdk:
    python = ROOT / ".venv-seam1" / "bin" / "python"
    if not python.exists():
        missing("seam 1.x", ".venv-seam1/.installed")
    return _python(str(python), "seam 1.")


def _python(interpreter: str, version: str) -> Sdk:
    locks, codes, thermostats, access = ([interpreter, "-m", f"tests.sdk.python_{name}"] for name in CLIENTS)
    return Sdk(locks, codes, thermostats, access, version)


def javascript() -> Sdk:
    node = shutil.which("node")
    if node is None or not (SDK / "js/node_modules/@seamapi/http").is_dir():
        missing("Node.js or @seamapi/http", "tests/sdk/js/node_modules/.installed")
    locks, codes, thermostats, access = ([str(node), str(SDK / "js" / f"js_{name}.mjs")] for name in CLIENTS)
    return Sdk(locks, codes, thermostats, access, "@seamapi/http 2.")


@pytest.fixture(params=[python_3, python_1, javascript], ids=lambda param: param.__name__)
def sdk(request: pytest.FixtureRequest) -> Sdk:
    """Each SDK, if it is installed; else the test fails and says what to run."""
    found: Sdk = request.param()
    return found


@pytest.fixture
def sdks() -> list[Sdk]:
    """All of them."""
    return [python_3(), python_1(), javascript()]


async def test_on_a_virtual_site(sdk: Sdk, tmp_path: Path) -> None:
    async with daemon_process(tmp_path, VIRTUAL) as daemon, client_of_process(daemon) as client:
        await drive(sdk, sdk.command, client, "Room 102")


async def test_the_life_of_codes_on_a_virtual_site(sdk: Sdk, tmp_path: Path) -> None:
    async with daemon_process(tmp_path, VIRTUAL) as daemon, client_of_process(daemon) as client:
        await drive(sdk, sdk.codes, client, "Room 102")


async def test_a_thermostat_on_a_virtual_site(sdk: Sdk, tmp_path: Path) -> None:
    async with daemon_process(tmp_path, VIRTUAL) as daemon, client_of_process(daemon) as client:
        await drive(sdk, sdk.thermostats, client, "Climate 101", steps=CLIMATE_STEPS)


async def test_all_on_a_zwave_network(sdks: list[Sdk], zwave_network: ZwaveNetwork, tmp_path: Path) -> None:
    """The driver's own time-outs and the SDKs' default ones hold together: 5 s in Python, 10 s in JavaScript."""
    drivers = f'[drivers.radio]\ntype = "zwave"\nurl = "{zwave_network.url}"\n'
    async with daemon_process(tmp_path, drivers) as daemon, client_of_process(daemon) as client:
        locks = [lock["display_name"] for lock in (await client.ok("/locks/list"))["locks"]]
        for one, lock in zip(sdks, locks, strict=True):  # codes each on a keypad of another kind
            await drive(one, one.command, client, "Door lock 7e570001-2")
            await drive(one, one.codes, client, lock)


async def drive(sdk: Sdk, command: list[str], client: HttpCaller, device: str, *, steps: int = STEPS) -> None:
    """Let an SDK's client take all its steps; each must go as it expects."""
    process = await asyncio.create_subprocess_exec(
        *command,
        client.url,
        client.token,
        device,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    try:
        async with asyncio.timeout(LIMIT):
            output, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    taken = [json.loads(line) for line in output.decode().splitlines()]
    assert process.returncode == 0, [step for step in taken if not step["ok"]] or errors.decode()
    assert taken[0]["got"].startswith(sdk.version), taken[0]
    assert len(taken) == steps
    assert all(step["ok"] for step in taken)
