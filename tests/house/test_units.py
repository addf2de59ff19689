import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.house.tree import ROOT

SYSTEMD = ROOT / "systemd"


def directives(unit: Path) -> dict[str, str]:
    """Return the directives of a unit; of one given twice, the last."""
    parser = ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # the documented way to keep case
    parser.read(unit, "utf-8")
    return {name: value for section in parser.sections() for name, value in parser.items(section)}


def test_exposure_is_low_where_systemd_can_tell() -> None:
    rated = subprocess.run([ROOT / "scripts/check-units"], capture_output=True, text=True, check=False)
    assert rated.returncode == 0, rated.stderr
    assert "exposure" in rated.stdout or "not rated" in rated.stdout


@pytest.mark.parametrize("unit", sorted(SYSTEMD.glob("*.service")), ids=lambda unit: unit.stem)
def test_user_of_a_unit_is_made_by_sysusers(unit: Path) -> None:
    lines = [line for conf in (SYSTEMD / "sysusers.d").iterdir() for line in conf.read_text("utf-8").split("\n")]
    users = {line.split()[1] for line in lines if line.startswith("u ")}
    assert directives(unit)["User"] in users


def test_hub_is_watched_started_again_and_confined() -> None:
    unit = directives(SYSTEMD / "hubd.service")
    assert unit["Type"] == "notify"
    assert int(unit["WatchdogSec"]) > 0
    assert unit["Restart"] == "always"
    assert unit["RestartPreventExitStatus"] == "2"
    assert unit["ExecStart"] == "/opt/hubd/bin/hubd run --config /etc/hubd/hubd.toml"
    assert unit["StateDirectory"] == unit["ConfigurationDirectory"] == "hubd"
    assert set(unit["RestrictAddressFamilies"].split()) >= {"AF_INET", "AF_INET6", "AF_UNIX"}


def test_zwave_js_is_started_again_confined_and_behind_the_loopback_address() -> None:
    unit = directives(SYSTEMD / "hubd-zwave.service")
    assert unit["ExecStart"] == "/opt/hubd/bin/hubd-zwave run --stick ${STICK}"
    assert unit["LoadCredential"] == "zwave-keys.json:/etc/hubd/zwave-keys.json"
    assert unit["Restart"] == "always"
    assert unit["RestartPreventExitStatus"] == "2"
    assert (unit["IPAddressDeny"], unit["IPAddressAllow"]) == ("any", "localhost")
    assert unit["StateDirectory"] == unit["RuntimeDirectory"] == "hubd-zwave"
    assert unit["StateDirectoryMode"] == unit["RuntimeDirectoryMode"] == "0700"
    assert unit["DevicePolicy"] == "closed"
    assert unit["User"] != directives(SYSTEMD / "hubd.service")["User"]
