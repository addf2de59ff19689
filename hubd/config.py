"""TOML to typed configuration. Every mistake is reported at once, each with table, key and a suggestion."""

import difflib
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import msgspec

from hubd.driver import registry
from hubd.driver.protocol import DriverConfig, Manifest
from hubd.model.device import Kind
from hubd.model.errors import HubError

DEFAULT_PORT = 8470
LOOPBACK = {"127.0.0.1", "::1", "localhost"}
LONGEST_NAME = 80

_TABLES = ("hub", "http", "drivers")
_DRIVER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_NAMES_KEY = re.compile(r"(\w+)\b:?\s*(.*)", re.DOTALL)


class HubTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[hub]`."""

    name: str = "hubd"
    time_zone: str = "UTC"
    data_dir: str = "/var/lib/hubd"
    journal_days: int = 400
    offline_grace_seconds: float = 30.0
    flaky_window_seconds: float = 3600.0
    removal_minutes: float = 10.0
    battery_report_hours: float = 0.0
    code_sweep_hours: float = 24.0
    climate_days: int = 30
    trust_clock: Literal["auto", "always"] = "auto"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    def __post_init__(self) -> None:
        wrong = []
        if not 0 < len(self.name) <= LONGEST_NAME or not self.name.isprintable() or not self.name.strip():
            wrong.append(f"name: must be 1 to {LONGEST_NAME} printable characters")
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            hint = _suggest(self.time_zone, available_timezones()) or ", such as 'Europe/Berlin'"
            wrong.append(f"time_zone: {self.time_zone!r} is not a zone of the IANA database{hint}")
        if not self.data_dir or "\0" in self.data_dir:
            wrong.append("data_dir: must be the path of a directory")
        if not 1 <= self.journal_days <= 36500:  # noqa: PLR2004 - a hundred years
            wrong.append("journal_days: must be between 1 and 36500")
        for key, value, low, high in (
            ("offline_grace_seconds", self.offline_grace_seconds, 0, 600),
            ("flaky_window_seconds", self.flaky_window_seconds, 1, 86400),
            ("removal_minutes", self.removal_minutes, 0, 1440),
            ("battery_report_hours", self.battery_report_hours, 0, 8760),
            ("code_sweep_hours", self.code_sweep_hours, 0.001, 8760),
            ("climate_days", self.climate_days, 1, 3660),
        ):
            if not low <= value <= high:
                wrong.append(f"{key}: must be between {low} and {high}")
        _refuse(wrong)


class HttpTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[http]`."""

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    tls: Literal["off", "auto", "files"] = "off"
    tls_certificate: str = ""
    tls_key: str = ""
    allow_plain_http: bool = False
    allowed_hosts: tuple[str, ...] = ()
    requests_per_second: int = 200

    def __post_init__(self) -> None:
        wrong = []
        if not 0 <= self.port <= 65535:  # noqa: PLR2004 - TCP
            wrong.append("port: must be between 0 and 65535 (0 picks a free one)")
        if not 1 <= self.requests_per_second <= 1_000_000:  # noqa: PLR2004 - as good as no limit
            wrong.append("requests_per_second: must be between 1 and 1000000")
        for key, path in (("tls_certificate", self.tls_certificate), ("tls_key", self.tls_key)):
            if "\0" in path or (self.tls == "files" and not path):
                wrong.append(f'{key}: must be the path of a PEM file (tls = "files" needs it)')
        if self.host not in LOOPBACK and self.tls == "off" and not self.allow_plain_http:
            wrong.append(
                f"tls: {self.host!r} can be reached from the network, so it needs tls = 'auto' (a certificate is made"
                " at first start) or tls = 'files'; allow_plain_http = true turns this check off"
            )
        _refuse(wrong)


def _refuse(wrong: list[str]) -> None:
    """Raise every `key: what is wrong` of a table, a line each."""
    if wrong:
        raise ValueError("\n".join(wrong))


class FilterKeys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys that every `[drivers.<id>]` table takes besides the driver's own."""

    type: str
    include_kinds: tuple[Kind, ...] | None = None
    exclude_kinds: tuple[Kind, ...] = ()
    include_ids: tuple[str, ...] = ()
    exclude_ids: tuple[str, ...] = ()


class DriverTable(msgspec.Struct, frozen=True, kw_only=True):
    """One `[drivers.<id>]`, loaded."""

    id: str
    manifest: Manifest
    filters: FilterKeys
    config: DriverConfig


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file."""

    hub: HubTable
    http: HttpTable
    drivers: tuple[DriverTable, ...]

    @property
    def data_dir(self) -> Path:
        """Where the hub keeps everything of its own."""
        return Path(self.hub.data_dir)


class Mistake(msgspec.Struct, frozen=True):
    """One thing that is wrong in a file."""

    file: str
    table: str
    key: str
    message: str

    def __str__(self) -> str:
        place = f"[{self.table}]" if self.table else ""
        return ": ".join(part for part in (self.file, " ".join(filter(None, (place, self.key))), self.message) if part)


class ConfigError(HubError):
    """The configuration cannot be used; `mistakes` holds every reason."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("config_invalid", "\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = mistakes


def load(path: Path) -> Config:
    """Read and check a file. Raises `ConfigError`."""
    name = str(path)
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigError([Mistake(name, "", "", f"cannot be read: {error.strerror}")]) from error
    return parse(text, name)


def parse(text: bytes, file: str = "config") -> Config:
    """Parse and check TOML. Raises `ConfigError`."""
    try:
        tables = tomllib.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:  # a number of thousands of digits is a plain ValueError
        raise ConfigError([Mistake(file, "", "", f"is not TOML: {error}")]) from error
    return _Reader(file).read(tables)


class _Reader:
    """Collects mistakes while reading; a table that is wrong is replaced by nothing, never guessed."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._mistakes: list[Mistake] = []

    def read(self, tables: dict[str, Any]) -> Config:
        for name in tables:
            if name not in _TABLES:
                self._wrong("", name, f"is not a table of hubd{_suggest(name, _TABLES)}")
        hub = self._table("hub", tables.get("hub", {}), HubTable)
        http = self._table("http", tables.get("http", {}), HttpTable)
        section = tables.get("drivers", {})
        drivers: list[DriverTable | None] = []
        if isinstance(section, dict):
            drivers = [self._driver(name, table) for name, table in section.items()]
        else:
            self._wrong("drivers", "", "must hold one table per driver, such as [drivers.front]")
        if self._mistakes or hub is None or http is None:
            raise ConfigError(self._mistakes)
        return Config(hub=hub, http=http, drivers=tuple(driver for driver in drivers if driver is not None))

    def _wrong(self, table: str, key: str, message: str) -> None:
        self._mistakes.append(Mistake(self._file, table, key, message))

    def _table[T: msgspec.Struct](self, name: str, values: Any, kind: type[T]) -> T | None:
        if not isinstance(values, dict):
            self._wrong(name, "", "must be a table")
            return None
        fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
        wrong: set[str] = set()
        for key, value in values.items():
            if key not in fields:
                wrong.add(key)
                self._wrong(name, key, f"is not a key of this table{_suggest(key, fields)}")
                continue
            try:
                msgspec.convert(value, fields[key].type)
            except msgspec.ValidationError as error:
                wrong.add(key)
                self._wrong(name, key, _sentence(error, fields[key].type))
        required = {key for key, field in fields.items() if field.required}
        for key in sorted(required - values.keys()):
            self._wrong(name, key, "is missing")
        if required & wrong or required - values.keys():
            return None
        try:
            made = msgspec.convert({key: value for key, value in values.items() if key not in wrong}, kind)
        except msgspec.ValidationError as error:
            for key, message in _lines(error, fields):
                if key not in wrong:  # what is said of a key that is wrong anyway follows from that
                    self._wrong(name, key, message)
            return None
        return None if wrong else made

    def _driver(self, name: str, values: Any) -> DriverTable | None:
        table = f"drivers.{name}"
        if not _DRIVER_ID.fullmatch(name):
            self._wrong(table, "", "must have an id of 1 to 40 letters, digits, '-' and '_', such as [drivers.front]")
            return None
        if not isinstance(values, dict):
            self._wrong(table, "", "must be a table with a type")
            return None
        driver_type = values.get("type")
        if not isinstance(driver_type, str):
            self._wrong(table, "type", f"is missing; one of: {', '.join(registry.types())}")
            return None
        try:
            manifest = registry.load(driver_type)
        except HubError as error:
            self._wrong(table, "type", f"{error.message}{_suggest(driver_type, registry.types())}")
            return None
        common = {field.encode_name for field in msgspec.structs.fields(FilterKeys)}
        filters = self._table(table, {k: v for k, v in values.items() if k in common}, FilterKeys)
        own_keys = {field.encode_name for field in msgspec.structs.fields(manifest.config)}
        own: dict[str, Any] = {}
        for key, value in values.items():
            if key in own_keys:
                own[key] = value
            elif key not in common:
                self._wrong(
                    table, key, f"is not a key of driver type {driver_type!r}{_suggest(key, own_keys | common)}"
                )
        config = self._table(table, own, manifest.config)
        if filters is None or config is None:
            return None
        return DriverTable(id=name, manifest=manifest, filters=filters, config=config)


def _lines(error: msgspec.ValidationError, keys: Iterable[str]) -> list[tuple[str, str]]:
    """Take apart what a table's own check says: a line each, `key: what is wrong` where it names its key."""
    matches = [(_NAMES_KEY.fullmatch(line), line) for line in str(error).splitlines() or ["is refused by its driver"]]
    return [(match[1], match[2]) if match and match[1] in keys else ("", line) for match, line in matches]


def _sentence(error: msgspec.ValidationError, expected: Any) -> str:
    text = str(error).replace("`", "").partition(" - at ")[0]
    text = text[:1].lower() + text[1:]
    choices = [choice for choice in _choices(msgspec.inspect.type_info(expected)) if isinstance(choice, str)]
    if not choices:
        return text
    wrong = re.search("'(.*)'", text, re.DOTALL)
    hint = "" if wrong is None else _suggest(wrong[1], choices)
    return f"{text}{hint}; it takes: {', '.join(sorted(choices))}"


def _choices(expected: msgspec.inspect.Type) -> Iterable[object]:
    """Return the values of every `Literal` in a type."""
    match expected:
        case msgspec.inspect.LiteralType(values=values):
            return values
        case msgspec.inspect.UnionType(types=types):
            return [choice for one in types for choice in _choices(one)]
        case msgspec.inspect.VarTupleType(item_type=item) | msgspec.inspect.ListType(item_type=item):
            return _choices(item)
        case _:
            return ()


def _suggest(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f" (did you mean {near[0]!r}?)" if near else ""
