"""The config of zwave-server for one simulated network."""

import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hubd_drivers.zwave.server.settings import Keys, settings

from tests.sims.zwave.children import HERE

_CONFIG_PACKAGE: Final = HERE / "node_modules" / "@zwave-js" / "config"
_KNOWN_BRANDS: Final = ("0x003b",)  # Schlage, for node 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast the radio is and how patient the driver; by default a quiet mesh, the driver's own values."""

    tx_delay_ms: int = 10
    """On the air, per frame."""
    no_ack_ms: int = 1000
    """Until the stick reports that a node did not acknowledge, per attempt; at most 1000."""
    send_attempts: int = 3
    """Attempts before the driver calls a node dead (1 to 5)."""
    bolt_travel_ms: int = 500
    """Of node 3; until then it answers "working"."""
    report_timeout_ms: int = 1000
    """How long the driver waits for a node's answer (500 to 10000). Node 5's device config makes it 10 s."""
    verify_delay_ms: int = 5000
    """Until the driver reads back the state of a lock that it set without Supervision."""
    verify_code_delay_ms: int = 1000
    """The same for what should have changed at once, such as user codes."""
    open_attempts: int = 10
    """Attempts, about 1.2 s apart, to reopen an unplugged stick before the driver fails."""


FAST: Final = Pace(
    tx_delay_ms=0,
    no_ack_ms=50,
    bolt_travel_ms=150,
    report_timeout_ms=500,
    verify_delay_ms=500,
    verify_code_delay_ms=200,
    open_attempts=2,
)
"""For suites: the same events in the same order, with no wait longer than that needs."""


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """What zwave-server reads at its start. All paths in it are below `directory`."""

    directory: Path
    pace: Pace
    query_all_user_codes: bool
    optimistic: bool
    log_level: str
    models: Sequence[Path] = ()

    def write(self) -> None:
        """Write server.json and the device configs it points to."""
        makers = {json.loads(path.read_bytes())["node"]["manufacturerId"] for path in self.models}
        _copy_device_configs(self.directory / "device-config", {*_KNOWN_BRANDS, *makers})
        (self.directory / "server.json").write_text(json.dumps(self._options(), indent=2))

    def _options(self) -> dict[str, object]:
        """A site's settings, with what a test wants otherwise."""
        pace = self.pace
        site: dict[str, Any] = settings(network_keys(), self.directory / "cache", self.directory / "locks")
        storage = {**site["storage"], "deviceConfigExternalDir": str(self.directory / "device-config")}
        return {
            **site,
            "storage": storage,
            "interview": {"queryAllUserCodes": self.query_all_user_codes},
            "attempts": {"sendData": pace.send_attempts, "openSerialPort": pace.open_attempts},
            "timeouts": {
                "report": pace.report_timeout_ms,
                "refreshValue": pace.verify_delay_ms,
                "refreshValueAfterTransition": pace.verify_code_delay_ms,
            },
            "disableOptimisticValueUpdate": not self.optimistic,
            "logConfig": {**site["logConfig"], "level": self.log_level},
        }


def network_keys() -> Keys:
    """Return the keys with which the nodes were included."""
    return {"securityKeys": json.loads((HERE / "keys.json").read_bytes())}


def _copy_device_configs(target: Path, brands: Iterable[str]) -> None:
    """Give the driver the device configs of the simulated brands only.

    The whole collection costs each start 0.4 s, and the first one after `npm ci` 3 s and a write into
    node_modules.
    """
    source = _CONFIG_PACKAGE / "config"
    version = json.loads((_CONFIG_PACKAGE / "package.json").read_bytes())["version"]
    for part in ("templates", *brands):
        if (source / "devices" / part).is_dir():
            shutil.copytree(source / "devices" / part, target / "devices" / part, dirs_exist_ok=True)
    shutil.copy(source / "manufacturers.json", target)
    (target / "version").write_text(version)
