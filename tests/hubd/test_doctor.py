import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import pytest
from msgspec.structs import replace

from hubd import config as configs
from hubd import doctor
from hubd.box import Box
from hubd.cli import main
from hubd.core.sources import KernelSources
from hubd.driver import CheckPort, DriverConfig, Finding

_TEXT = {"type": "string"}
_FINDING = {
    "type": "object",
    "additionalProperties": False,
    "required": ["hop", "check", "verdict", "evidence", "code", "remedy"],
    "properties": {
        **dict.fromkeys(("hop", "check", "evidence", "code", "remedy"), _TEXT),
        "verdict": {"enum": ["ok", "warning", "failed", "skipped"]},
    },
}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["ok", "summary", "drivers"],
    "properties": {
        "ok": {"type": "boolean"},
        "summary": _TEXT,
        "drivers": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["driver", "type", "title", "has_checks", "findings"],
                "properties": {
                    **dict.fromkeys(("driver", "type", "title"), _TEXT),
                    "has_checks": {"type": "boolean"},
                    "findings": {"type": "array", "items": _FINDING},
                },
            },
        },
    },
}


class Ran(NamedTuple):
    """How a command line ended."""

    status: int
    out: str
    err: str


type Run = Callable[..., Ran]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run_it(*arguments: str | Path) -> Ran:
        capsys.readouterr()
        status = main(["doctor", *map(str, arguments)])
        return Ran(status, *capsys.readouterr())

    return run_it


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A config of three drivers; nothing listens where the second looks for its server."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]
    path = tmp_path / "hubd.toml"
    path.write_text(
        f'[hub]\ndata_dir = "{tmp_path / "data"}"\ntrust_clock = "always"\n'
        '[drivers.demo]\ntype = "virtual"\n'
        f'[drivers.radio]\ntype = "zwave"\nurl = "ws://127.0.0.1:{port}"\n'
    )
    return path


def checked_by(monkeypatch: pytest.MonkeyPatch, check: Any) -> None:
    """Give every driver of a config these checks."""
    load = configs.load

    def changed(path: Path) -> configs.Config:
        config = load(path)
        tables = [replace(table, manifest=replace(table.manifest, doctor=check)) for table in config.drivers]
        return replace(config, drivers=tuple(tables))

    monkeypatch.setattr(doctor, "load", changed)


def test_all_that_is_checked_stands_under_its_driver(run: Run, site: Path) -> None:
    ran = run("--config", site)
    assert (ran.status, ran.err) == (1, "")
    lines = ran.out.splitlines()
    heads = [line for line in lines if not line.startswith(" ")]
    assert heads[:3] == ["hub: the hub itself", "demo: Virtual site", "radio: Z-Wave"]
    assert heads[3].startswith("1 of 11 checks failed: Port: The machine answers, but nothing listens at 127.0.0.1:")
    (failed,) = [number for number, line in enumerate(lines) if line.startswith("  FAILED")]
    assert lines[failed].startswith("  FAILED   server, Port: ")
    assert lines[failed].endswith("(connection_refused)")
    assert lines[failed + 1].startswith("           Look at systemctl status hubd-zwave")
    assert sum(line.startswith("  skipped  ") for line in lines) == 5


def test_one_driver_alone(run: Run, site: Path) -> None:
    ran = run("demo", "--config", site)
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "demo: Virtual site",
        "  ok       site, Simulated site: A site of locks (4) and thermostats (1) is simulated in the hub itself.",
        "The check passed.",
    ]
    assert run("hub", "--config", site).out.startswith("hub: the hub itself\n")


def test_json_is_one_document_whose_keys_stay(run: Run, site: Path) -> None:
    ran = run("--json", "--config", site)
    told = json.loads(ran.out)
    jsonschema.validate(told, SCHEMA)
    assert (ran.status, told["ok"], ran.err) == (1, False, "")
    assert [(one["driver"], one["type"], one["has_checks"]) for one in told["drivers"]] == [
        ("hub", "hub", True),
        ("demo", "virtual", True),
        ("radio", "zwave", True),
    ]
    codes = {finding["check"]: finding["code"] for finding in told["drivers"][2]["findings"]}
    assert codes["Port"] == "connection_refused"
    good = json.loads(run("demo", "--json", "--config", site).out)
    jsonschema.validate(good, SCHEMA)
    assert (good["ok"], good["summary"]) == (True, "The check passed.")


def test_a_driver_that_is_not_there_is_wrong_usage(run: Run, site: Path) -> None:
    ran = run("zwave", "--config", site)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == f"hubd: there is no driver 'zwave' in {site}; there are: hub, demo, radio\n"


def test_a_config_that_is_wrong(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text('[drivers.radio]\ntype = "zwave"\nurl = "http://box:3000"\n')
    ran = run("--config", path)
    assert (ran.status, ran.out) == (2, "")
    assert "did you mean 'ws://box:3000'?" in ran.err
    told = run("--config", path, "--json")
    assert told.status == 2
    (mistake,) = json.loads(told.out)["mistakes"]
    assert (mistake["table"], mistake["key"]) == ("drivers.radio", "url")


def test_a_driver_without_checks_says_so(run: Run, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checked_by(monkeypatch, None)
    ran = run("radio", "--config", site)
    assert ran.status == 0
    assert ran.out.splitlines() == [
        "radio: Z-Wave",
        "  A driver of type zwave has no checks.",
        "There is nothing to check.",
    ]
    (group,) = json.loads(run("radio", "--json", "--config", site).out)["drivers"]
    assert (group["has_checks"], group["findings"]) == (False, [])


def test_a_check_that_breaks_is_a_defect_of_its_driver_alone(
    run: Run, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: DriverConfig, port: CheckPort) -> AsyncGenerator[Finding]:
        if port.instance == "demo":
            raise ZeroDivisionError
        yield Finding("server", "Port", "ok", "It answers.")

    checked_by(monkeypatch, broken)
    ran = run("--config", site)
    assert ran.status == 1
    assert "(driver_defect)" in ran.out
    assert "  ok       server, Port: It answers." in ran.out
    assert "Traceback" not in ran.out


def test_words_of_others_do_not_move_the_cursor(run: Run, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def odd(_: DriverConfig, __: CheckPort) -> AsyncGenerator[Finding]:
        yield Finding("server", "Port", "failed", "It says \x1b[2J.", "odd", "Look\nthere.")

    checked_by(monkeypatch, odd)
    out = run("demo", "--config", site).out
    assert "It says ?[2J. (odd)\n           Look there.\n" in out


def test_there_is_an_end_for_all_drivers_together(run: Run, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def endless(_: DriverConfig, __: CheckPort) -> AsyncGenerator[Finding]:
        await asyncio.Event().wait()
        yield Finding("server", "Port", "ok", "It answers.")

    checked_by(monkeypatch, endless)
    monkeypatch.setattr(doctor, "ALL_SECONDS", 0.1)
    told = json.loads(run("--json", "--config", site).out)
    assert [group["findings"][-1]["code"] for group in told["drivers"][1:]] == ["checks_timeout", "checks_timeout"]


# -- the hub's own


def hub_findings(run: Run, site: Path) -> dict[str, dict[str, str]]:
    (group,) = json.loads(run("hub", "--json", "--config", site).out)["drivers"]
    return {finding["check"]: finding for finding in group["findings"]}


def test_a_hub_that_never_ran(run: Run, site: Path) -> None:
    found = hub_findings(run, site)
    assert {check: (one["verdict"], one["code"]) for check, one in found.items()} == {
        "Configuration": ("ok", ""),
        "Data directory": ("warning", "no_data_dir"),
        "Daemon": ("skipped", ""),
        "Disk space": ("skipped", ""),
        "Time": ("ok", ""),
    }
    assert not (site.parent / "data").exists()  # it changes nothing


def test_a_hub_that_runs_and_one_that_does_not(run: Run, site: Path) -> None:
    data = site.parent / "data"
    with Box(data):
        before = sorted(path.name for path in data.iterdir())
        assert hub_findings(run, site)["Daemon"]["verdict"] == "ok"
    stopped = hub_findings(run, site)
    assert (stopped["Daemon"]["verdict"], stopped["Daemon"]["code"]) == ("warning", "hub_not_running")
    assert stopped["Data directory"]["verdict"] == "ok"
    assert stopped["Disk space"]["verdict"] == "ok"
    assert sorted(path.name for path in data.iterdir()) == before


@pytest.mark.parametrize(
    ("mebibytes", "verdict", "code", "status"),
    [(600, "ok", "", 0), (400, "warning", "disk_nearly_full", 0), (40, "failed", "disk_full", 1)],
)
def test_room_on_the_disk(
    run: Run, site: Path, monkeypatch: pytest.MonkeyPatch, mebibytes: int, verdict: str, code: str, status: int
) -> None:
    (site.parent / "data").mkdir()
    usage = shutil.disk_usage("/")._replace(free=mebibytes * 2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    found = hub_findings(run, site)["Disk space"]
    assert (found["verdict"], found["code"]) == (verdict, code)
    assert found["evidence"].startswith(f"{mebibytes} MiB are free")
    assert run("hub", "--config", site).status == status


def test_a_data_directory_that_is_a_file(run: Run, site: Path) -> None:
    (site.parent / "data").write_text("")
    found = hub_findings(run, site)
    assert (found["Data directory"]["verdict"], found["Data directory"]["code"]) == ("failed", "data_dir_unusable")
    assert found["Daemon"]["verdict"] == "skipped"


def test_a_data_directory_of_somebody_else(run: Run, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    (site.parent / "data").mkdir()
    monkeypatch.setattr(doctor, "is_in_use", refuse)
    daemon = hub_findings(run, site)["Daemon"]
    assert (daemon["verdict"], "Permission denied" in daemon["evidence"]) == ("skipped", True)
    monkeypatch.setattr(shutil, "disk_usage", refuse)
    assert hub_findings(run, site)["Data directory"]["code"] == "data_dir_unreadable"


@pytest.mark.parametrize(("is_kept", "verdict"), [(True, "ok"), (False, "warning")])
def test_who_keeps_the_clock(
    run: Run, site: Path, monkeypatch: pytest.MonkeyPatch, *, is_kept: bool, verdict: str
) -> None:
    site.write_text(site.read_text().replace('trust_clock = "always"', ""))
    monkeypatch.setattr(KernelSources, "is_synchronised", lambda _: is_kept)
    assert hub_findings(run, site)["Time"]["verdict"] == verdict


def test_a_hub_without_drivers(run: Run, site: Path) -> None:
    site.write_text(site.read_text().partition("[drivers")[0])
    assert hub_findings(run, site)["Configuration"]["code"] == "no_drivers"


def test_the_command_line_stays_quick_to_import() -> None:
    code = (
        "import hubd.doctor, sys; print(*[name for name in ('hubd.app', 'hubd.core.sources') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ))
    assert ran.stdout.strip() == ""
