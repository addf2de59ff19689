from typing import Any

import msgspec
import pytest
from hubd_drivers.salto_space.config import SaltoSpaceConfig, Target

from hubd.driver import DriverConfig

STP: dict[str, Any] = {"host": "10.0.0.5", "port": 9100, "transport": "stp", "time_zone": "Europe/Madrid"}
HTTP: dict[str, Any] = {"host": "10.0.0.5", "transport": "http", "time_zone": "Europe/Madrid"}
HTTPS: dict[str, Any] = {**HTTP, "transport": "https"}
PIN = "ab" * 32


def refusal(**keys: Any) -> list[str]:
    """Return the lines of what is wrong."""
    with pytest.raises(ValueError, match=": ") as raised:
        SaltoSpaceConfig(**keys)
    return str(raised.value).splitlines()


def the_line(key: str, **keys: Any) -> str:
    """Return the only line there is, which is that of a key."""
    [line] = refusal(**keys)
    found, _, words = line.partition(": ")
    assert found == key
    return words


def test_defaults() -> None:
    config = SaltoSpaceConfig(**STP)
    assert isinstance(config, DriverConfig)
    assert (config.auth, config.stp_version, config.page_size, config.encoders) == ("none", "00", 500, ())
    assert (config.poll_seconds, config.audit_seconds, config.sync_seconds) == (5, 10, 300)
    assert (config.encode_seconds, config.timeout) == (60, 10)
    assert config.pin is None
    assert config.stream is None
    assert str(config.zone) == "Europe/Madrid"


@pytest.mark.parametrize(
    ("keys", "target"),
    [
        ({"host": "10.0.0.5", "transport": "stp", "port": 9100}, Target("stp", "10.0.0.5", 9100)),
        ({"host": "10.0.0.5:9100", "transport": "stp"}, Target("stp", "10.0.0.5", 9100)),
        ({"host": "stp://10.0.0.5:9100"}, Target("stp", "10.0.0.5", 9100)),
        ({"host": "stp://10.0.0.5", "port": 9100}, Target("stp", "10.0.0.5", 9100)),
        ({"host": " http://192.168.1.101:8100/ "}, Target("http", "192.168.1.101", 8100)),
        ({"host": "http://space.local"}, Target("http", "space.local", 8100)),
        ({"host": "https://space.local", "port": 8101, "transport": "https"}, Target("https", "space.local", 8101)),
        ({"host": "fd00::5", "transport": "http"}, Target("http", "fd00::5", 8100)),
    ],
)
def test_a_url_is_understood_where_a_host_is_asked(keys: dict[str, Any], target: Target) -> None:
    assert msgspec.convert({**keys, "time_zone": "UTC"}, SaltoSpaceConfig).target == target


def test_how_a_target_is_written() -> None:
    assert Target("http", "fd00::5", 8100).url == "http://[fd00::5]:8100"
    assert Target("stp", "space", 9100).place == "space:9100"


@pytest.mark.parametrize(
    ("key", "keys", "words"),
    [
        ("host", {**STP, "host": ""}, "it is empty"),
        ("host", {**STP, "host": "ftp://10.0.0.5"}, "begins with stp://, http:// or https://, not ftp://"),
        ("host", {**HTTP, "host": "http://10.0.0.5:8100/index.html"}, "did you mean 'http://10.0.0.5:8100'?"),
        ("transport", {"host": "10.0.0.5", "time_zone": "UTC"}, "General options > SHIP"),
        ("transport", {**HTTP, "host": "stp://10.0.0.5:1"}, '"http" contradicts the URL in host, which says stp'),
        ("port", {**HTTP, "host": "10.0.0.5:8101", "port": 8100}, "8100 contradicts the address in host"),
        ("port", {**STP, "port": None}, "no usual port"),
        ("port", {**HTTP, "port": -1}, "between 1 and 65535, not -1"),
        ("port", {**STP, "port": 65536}, "between 1 and 65535"),
        ("auth", {**STP, "auth": "custom", "secret_file": "/s"}, "STP has no authentication"),
        ("username", {**HTTP, "auth": "basic", "secret_file": "/s"}, "typed in Space's SHIP tab"),
        ("username", {**HTTP, "auth": "basic", "secret_file": "/s", "username": "a:b"}, "no colon"),
        ("username", {**HTTP, "auth": "custom", "secret_file": "/s", "username": "a"}, 'say auth = "basic"'),
        ("username", {**STP, "username": "a"}, 'auth = "none"'),
        ("secret_file", {**HTTP, "auth": "custom"}, "whole path of a file with the key"),
        ("secret_file", {**HTTP, "auth": "basic", "username": "a", "secret_file": "x"}, "a file with the password"),
        ("secret_file", {**HTTP, "secret_file": "/s"}, 'auth = "none"'),
        ("ca_file", {**HTTP, "ca_file": "/ca.pem"}, "only HTTPS has certificates"),
        ("ca_file", {**HTTPS, "ca_file": "ca.pem"}, "whole path of a PEM file"),
        ("certificate_sha256", {**STP, "certificate_sha256": PIN}, "only HTTPS has certificates"),
        ("certificate_sha256", {**HTTPS, "certificate_sha256": "ab" * 20}, "64 hex digits"),
        ("certificate_sha256", {**HTTPS, "certificate_sha256": PIN, "ca_file": "/c"}, "leave one out"),
        ("stp_version", {**STP, "stp_version": "0"}, "two digits"),
        ("time_zone", {**STP, "time_zone": ""}, "such as Europe/Madrid; its times have none"),
        ("time_zone", {**STP, "time_zone": "Romance Standard Time"}, "not 'Romance Standard Time'"),
        ("time_zone", {**STP, "time_zone": "../../etc/passwd"}, "such as Europe/Madrid"),
        ("encoders", {**STP, "encoders": ("",)}, "none of them empty"),
        ("encoders", {**STP, "encoders": (" Desk",)}, "spaces around it"),
        ("encoders", {**STP, "encoders": ("Desk", "Desk")}, "stands there twice"),
        ("encoders", {**STP, "encoders": tuple(map(str, range(65)))}, "at most 64"),
        ("event_stream", {**STP, "event_stream": "6501"}, "tcp://0.0.0.0:6501"),
        ("event_stream", {**STP, "event_stream": "http://0.0.0.0:6501"}, "tcp://0.0.0.0:6501"),
        ("event_stream", {**STP, "event_stream": "tcp://0.0.0.0"}, "tcp://0.0.0.0:6501"),
        ("event_stream", {**STP, "event_stream": "a b"}, "spaces"),
    ],
)
def test_each_mistake_has_a_line_with_its_remedy(key: str, keys: dict[str, Any], words: str) -> None:
    assert words in the_line(key, **keys)


@pytest.mark.parametrize(
    "key",
    ["poll_seconds", "audit_seconds", "sync_seconds", "page_size", "encode_seconds", "timeout"],
)
@pytest.mark.parametrize("value", [0, -1, 10_000_000, float("nan")])
def test_bounds(key: str, value: float) -> None:
    assert "must be between" in the_line(key, **{**STP, key: value})


def test_a_page_of_one_record_would_never_end() -> None:
    assert "between 2 and" in the_line("page_size", **{**STP, "page_size": 1})


def test_every_mistake_is_told_at_once() -> None:
    keys = {"host": "", "time_zone": "", "auth": "basic", "ca_file": "x", "timeout": 0, "event_stream": "?"}
    assert [line.partition(":")[0] for line in refusal(**keys)] == [
        "host",
        "username",
        "secret_file",
        "ca_file",
        "time_zone",
        "timeout",
        "event_stream",
    ]


@pytest.mark.parametrize("pin", [PIN, PIN.upper(), ":".join(["AB"] * 32), " ".join(["ab"] * 32)])
def test_a_fingerprint_however_it_was_copied(pin: str) -> None:
    assert SaltoSpaceConfig(**HTTPS, certificate_sha256=pin).pin == b"\xab" * 32


@pytest.mark.parametrize(
    ("text", "stream"),
    [("tcp://0.0.0.0:6501", ("tcp", "0.0.0.0", 6501)), ("udp://[::]:6501", ("udp", "::", 6501))],  # noqa: S104
)
def test_where_the_event_stream_is_listened_for(text: str, stream: tuple[str, str, int]) -> None:
    assert SaltoSpaceConfig(**STP, event_stream=text).stream == stream


def test_a_password_is_never_taken_inline() -> None:
    keys = {**HTTP, "auth": "basic", "username": "hubd"}
    assert "hunter2" not in the_line("secret_file", **keys, secret_file="hunter2")  # a technician's first guess
    assert "hunter2" not in the_line("host", **{**HTTP, "host": "http://hubd:hunter2@10.0.0.5"})
    for key in ("password", "secret", "key"):
        with pytest.raises(msgspec.ValidationError, match=key):
            msgspec.convert({**keys, key: "hunter2"}, SaltoSpaceConfig)
