import msgspec
import pytest
from hubd_drivers.zwave import ZwaveConfig


def test_defaults() -> None:
    config = ZwaveConfig()
    assert config.url == "ws://127.0.0.1:3000"
    assert (config.controller_check_seconds, config.attribution_ms) == (4, 700)
    assert (config.scan_minutes, config.silent_poll_minutes) == (5, 60)


def test_locks_that_do_not_report_need_not_be_asked() -> None:
    assert ZwaveConfig(silent_poll_minutes=0).silent_poll_minutes == 0
    with pytest.raises(ValueError, match="silent_poll_minutes: must be between"):
        ZwaveConfig(silent_poll_minutes=-1)


@pytest.mark.parametrize("url", ["ws://127.0.0.1:3000", "ws://zwave.local", "wss://box/zwave", "ws://[::1]:3000"])
def test_addresses(url: str) -> None:
    assert msgspec.convert({"url": url}, ZwaveConfig).url == url


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("http://127.0.0.1:3000", "did you mean 'ws://127.0.0.1:3000'?"),
        ("https://box:3000", "did you mean 'wss://box:3000'?"),
        ("127.0.0.1:3000", "did you mean 'ws://127.0.0.1:3000'?"),
        ("localhost", "did you mean 'ws://localhost'?"),
        ("ws://", "such as ws://127.0.0.1:3000"),
        ("ws://box:99999", "such as ws://127.0.0.1:3000"),
        ("", "such as ws://127.0.0.1:3000"),
        ("/dev/ttyUSB0", "such as ws://127.0.0.1:3000"),
    ],
)
def test_what_is_no_websocket_address_is_refused_with_what_is_expected(url: str, hint: str) -> None:
    with pytest.raises(msgspec.ValidationError) as refusal:
        msgspec.convert({"url": url}, ZwaveConfig)
    assert "url: must be the websocket address of zwave-js-server" in str(refusal.value)
    assert hint in str(refusal.value)


@pytest.mark.parametrize(
    "key", ["connect_timeout", "controller_check_seconds", "command_timeout", "attribution_ms", "scan_minutes"]
)
@pytest.mark.parametrize("value", [0, -1, 1_000_000])
def test_bounds(key: str, value: int) -> None:
    with pytest.raises(msgspec.ValidationError, match=f"{key}: must be between"):
        msgspec.convert({key: value}, ZwaveConfig)


def test_not_a_number() -> None:
    with pytest.raises(ValueError, match="command_timeout: must be between"):
        ZwaveConfig(command_timeout=float("nan"))


def test_every_mistake_is_told_at_once() -> None:
    with pytest.raises(ValueError, match="url: ") as refusal:
        ZwaveConfig(url="http://box", command_timeout=0, attribution_ms=0)
    assert [line.partition(":")[0] for line in str(refusal.value).splitlines()] == [
        "url",
        "command_timeout",
        "attribution_ms",
    ]


def test_unknown_keys_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="serial_port"):
        msgspec.convert({"serial_port": "/dev/ttyUSB0"}, ZwaveConfig)
