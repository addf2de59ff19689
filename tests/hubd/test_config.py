from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hubd_drivers.virtual.driver import VirtualConfig
from hypothesis import given, settings
from hypothesis import strategies as st

from hubd.config import Config, ConfigError, FilterKeys, HttpTable, HubTable, Mistake, load, parse


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(text.encode(), "hubd.toml")
    assert caught.value.code == "config_invalid"
    assert caught.value.message == "\n".join(str(mistake) for mistake in caught.value.mistakes)
    return [str(mistake) for mistake in caught.value.mistakes]


def test_an_empty_file_is_a_hub_with_every_default() -> None:
    config = parse(b"")
    assert config == Config(hub=HubTable(), http=HttpTable(), drivers=())
    assert (config.http.host, config.http.port, config.http.tls) == ("127.0.0.1", 8470, "off")
    assert config.data_dir == Path("/var/lib/hubd")


def test_every_table() -> None:
    config = parse(
        b"""
        [hub]
        name = "Hotel K\xc3\xb6nig"
        time_zone = "Europe/Vienna"
        data_dir = "/tmp/x"
        journal_days = 30
        log_level = "debug"
        [http]
        host = "192.168.1.5"
        port = 0
        tls = "auto"
        allowed_hosts = ["box.example", "box"]
        [drivers.front]
        type = "virtual"
        locks = 7
        include_kinds = ["thermostat"]
        exclude_ids = ["lock-3"]
        [drivers.back-2]
        type = "virtual"
        """
    )
    assert (config.hub.name, config.hub.time_zone, config.hub.journal_days) == ("Hotel König", "Europe/Vienna", 30)
    assert (config.http.host, config.http.tls, config.http.allowed_hosts) == (
        "192.168.1.5",
        "auto",
        ("box.example", "box"),
    )
    front, back = config.drivers
    assert (front.id, front.manifest.type, front.config) == ("front", "virtual", VirtualConfig(locks=7))
    assert front.filters == FilterKeys(type="virtual", include_kinds=("thermostat",), exclude_ids=("lock-3",))
    assert (back.id, back.config, back.filters.include_kinds) == ("back-2", VirtualConfig(), None)


def test_how_patient_the_hub_is() -> None:
    hub = parse(b"").hub
    assert (hub.offline_grace_seconds, hub.flaky_window_seconds, hub.removal_minutes) == (30, 3600, 10)
    hub = parse(b"[hub]\noffline_grace_seconds = 0\nflaky_window_seconds = 1\nremoval_minutes = 0.05").hub
    assert (hub.offline_grace_seconds, hub.flaky_window_seconds, hub.removal_minutes) == (0, 1, 0.05)


def test_every_mistake_is_told_at_once_with_its_place_and_a_suggestion() -> None:
    """In one table several, in several tables; the ranges of a table whose other keys are wrong too."""
    text = """
        wat = 1
        [hubs]
        [hub]
        nam = "x"
        time_zone = "Europe/Berln"
        log_level = "inf"
        journal_days = 0
        climate_days = 3661
        [http]
        host = "0.0.0.0"
        port = 99999
        requests_per_second = 0
        [drivers."a b"]
        type = "virtual"
        [drivers.b]
        type = "virtul"
        [drivers.c]
        type = "virtual"
        loks = 1
        include_kinds = ["lok"]
        exclude_ids = [1]
        fault = "refus"
        thermostats = -1
        latency_ms = "fast"
        [drivers.d]
        """
    assert mistakes(text) == [
        "hubd.toml: wat: is not a table of hubd",
        "hubd.toml: hubs: is not a table of hubd (did you mean 'hub'?)",
        "hubd.toml: [hub] nam: is not a key of this table (did you mean 'name'?)",
        (
            "hubd.toml: [hub] log_level: invalid enum value 'inf' (did you mean 'info'?);"
            " it takes: debug, error, info, warning"
        ),
        "hubd.toml: [hub] time_zone: 'Europe/Berln' is not a zone of the IANA database (did you mean 'Europe/Berlin'?)",
        "hubd.toml: [hub] journal_days: must be between 1 and 36500",
        "hubd.toml: [hub] climate_days: must be between 1 and 3660",
        "hubd.toml: [http] port: must be between 0 and 65535 (0 picks a free one)",
        "hubd.toml: [http] requests_per_second: must be between 1 and 1000000",
        (
            "hubd.toml: [http] tls: '0.0.0.0' can be reached from the network, so it needs tls = 'auto' (a certificate"
            " is made at first start) or tls = 'files'; allow_plain_http = true turns this check off"
        ),
        "hubd.toml: [drivers.a b]: must have an id of 1 to 40 letters, digits, '-' and '_', such as [drivers.front]",
        (
            "hubd.toml: [drivers.b] type: there is no driver of type 'virtul';"
            " installed are: salto_space, virtual, zwave (did you mean 'virtual'?)"
        ),
        (
            "hubd.toml: [drivers.c] include_kinds: invalid enum value 'lok' (did you mean 'lock'?);"
            " it takes: encoder, entrance, lock, other, thermostat"
        ),
        "hubd.toml: [drivers.c] exclude_ids: expected str, got int",
        "hubd.toml: [drivers.c] loks: is not a key of driver type 'virtual' (did you mean 'locks'?)",
        (
            "hubd.toml: [drivers.c] fault: invalid enum value 'refus' (did you mean 'refuse'?);"
            " it takes: jam, none, refuse, silent"
        ),
        "hubd.toml: [drivers.c] latency_ms: expected int, got str",
        "hubd.toml: [drivers.c] thermostats: must be between 0 and 10000",
        "hubd.toml: [drivers.d] type: is missing; one of: salto_space, virtual, zwave",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hub = 1", "hubd.toml: [hub]: must be a table"),
        ("drivers = 1", "hubd.toml: [drivers]: must hold one table per driver, such as [drivers.front]"),
        ("[drivers]\nfront = 1", "hubd.toml: [drivers.front]: must be a table with a type"),
        (
            "[drivers.front]\ntype = 1",
            "hubd.toml: [drivers.front] type: is missing; one of: salto_space, virtual, zwave",
        ),
        ('[hub]\nname = ""', "hubd.toml: [hub] name: must be 1 to 80 printable characters"),
        ('[hub]\nname = "a\\nb"', "hubd.toml: [hub] name: must be 1 to 80 printable characters"),
        ('[hub]\ndata_dir = ""', "hubd.toml: [hub] data_dir: must be the path of a directory"),
        ('[hub]\ndata_dir = "a\\u0000"', "hubd.toml: [hub] data_dir: must be the path of a directory"),
        (
            '[hub]\ntime_zone = "../../etc/passwd"',
            "hubd.toml: [hub] time_zone: '../../etc/passwd' is not a zone of the",
        ),
        ("[hub]\noffline_grace_seconds = -1", "hubd.toml: [hub] offline_grace_seconds: must be between 0 and 600"),
        ("[hub]\noffline_grace_seconds = nan", "hubd.toml: [hub] offline_grace_seconds: must be between 0 and 600"),
        ("[hub]\nflaky_window_seconds = 0.5", "hubd.toml: [hub] flaky_window_seconds: must be between 1 and 86400"),
        ("[hub]\nremoval_minutes = 1441", "hubd.toml: [hub] removal_minutes: must be between 0 and 1440"),
        ('[http]\nhost = ""', "hubd.toml: [http] tls: '' can be reached from the network"),
        ('[drivers.z]\ntype = "zwave"\nurl = "http://x"', "hubd.toml: [drivers.z] url: must be the websocket address"),
    ],
)
def test_one_mistake(text: str, expected: str) -> None:
    (only,) = mistakes(text)
    assert only.startswith(expected)


def test_certificate_files_are_each_asked_for() -> None:
    assert [one.partition(": must")[0] for one in mistakes('[http]\ntls = "files"')] == [
        "hubd.toml: [http] tls_certificate",
        "hubd.toml: [http] tls_key",
    ]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_loopback_needs_no_certificate(host: str) -> None:
    assert parse(f'[http]\nhost = "{host}"'.encode()).http.tls == "off"


@pytest.mark.parametrize(
    "extra", ['tls = "auto"', "allow_plain_http = true", 'tls = "files"\ntls_certificate="a"\ntls_key="b"']
)
def test_the_network_needs_tls_or_a_word(extra: str) -> None:
    assert parse(f'[http]\nhost = "192.168.1.5"\n{extra}'.encode()).http.host == "192.168.1.5"


@pytest.mark.parametrize(
    "text", [b"[hub", b"\xff\xfe", b"a = 1\na = 2", b"x = " + b"[" * 5000, b"x = " + b"1" * 5000, b"x = 2026-13-01"]
)
def test_what_is_no_toml(text: bytes) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text, "hubd.toml")
    (mistake,) = caught.value.mistakes
    assert str(mistake).startswith("hubd.toml: is not TOML: ")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"hubd\.toml: cannot be read: No such file or directory"):
        load(tmp_path / "hubd.toml")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load(tmp_path)


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "hubd.toml"
    path.write_text('[hub]\nname = "Site"', "utf-8")
    assert load(path).hub.name == "Site"


# -- anything at all

KEYS = st.sampled_from(
    [
        *HubTable.__struct_fields__,
        *HttpTable.__struct_fields__,
        *FilterKeys.__struct_fields__,
        "locks",
        "url",
        "",
        "x y",
    ]
)
WORDS = st.text(max_size=8) | st.sampled_from(["virtual", "zwave", "UTC", "auto", "files", "debug", "lock", "::1"])
SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.integers(), st.floats(), st.booleans(), WORDS, st.datetimes(), st.dates(), st.times(), st.just(2**70)
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3))
TABLES = st.dictionaries(KEYS, VALUES, max_size=5)
DOCUMENTS = st.dictionaries(
    st.sampled_from(["hub", "http", "drivers", "other"]),
    TABLES | VALUES | st.dictionaries(st.text(max_size=5), TABLES, max_size=3),
    max_size=4,
)


def check_outcome(read: Callable[[], Config]) -> None:
    """Whatever it reads, it is a config, or mistakes that each say what is wrong."""
    wrong: list[Mistake] | None = None
    try:
        config = read()
    except ConfigError as error:
        wrong = error.mistakes
    else:
        assert isinstance(config.hub, HubTable)
    assert wrong is None or (wrong and all(mistake.message and str(mistake) for mistake in wrong))


@settings(max_examples=200)
@given(DOCUMENTS)
def test_any_document_is_a_config_or_a_list_of_mistakes(document: dict[str, Any]) -> None:
    from hubd.config import _Reader  # noqa: PLC0415 - there is no writer of TOML to go the long way

    check_outcome(lambda: _Reader("hubd.toml").read(document))


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_a_config_or_a_list_of_mistakes(text: bytes) -> None:
    check_outcome(lambda: parse(text))
