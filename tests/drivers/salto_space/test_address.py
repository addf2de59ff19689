import pytest
from hubd_drivers.salto_space.address import AddressError, Parts, parse


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("192.168.1.101", Parts("", "192.168.1.101", None, has_path=False)),
        (" space.local \n", Parts("", "space.local", None, has_path=False)),
        ("space:8100", Parts("", "space", 8100, has_path=False)),
        ("HTTP://Space.LAN:8100/", Parts("http", "space.lan", 8100, has_path=False)),
        ("https://10.0.0.5", Parts("https", "10.0.0.5", None, has_path=False)),
        ("stp://10.0.0.5:9100", Parts("stp", "10.0.0.5", 9100, has_path=False)),
        ("http://10.0.0.5:8100/index.html#!/doors", Parts("http", "10.0.0.5", 8100, has_path=True)),
        ("http://10.0.0.5:8100/?a=1", Parts("http", "10.0.0.5", 8100, has_path=True)),
        ("fd00::5", Parts("", "fd00::5", None, has_path=False)),
        ("[fd00::5]:8100", Parts("", "fd00::5", 8100, has_path=False)),
        ("http://[fd00::5]:8100", Parts("http", "fd00::5", 8100, has_path=False)),
        ("zutrittskontrolle_büro", Parts("", "zutrittskontrolle_büro", None, has_path=False)),
        ("tcp://0.0.0.0:6501", Parts("tcp", "0.0.0.0", 6501, has_path=False)),  # noqa: S104 - nothing listens
    ],
)
def test_what_is_understood(text: str, parts: Parts) -> None:
    assert parse(text) == parts


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        ("   ", "it is empty"),
        ("the server", "spaces"),
        ("a" * 301, "spaces or other characters"),
        ("a\x00b", "other characters"),
        (r"\\SERVER\space", "Windows share"),
        ("http://", "there is no host"),
        (":8100", "there is no host"),
        ("host:99999", "cannot be read"),
        ("host:eight", "cannot be read"),
        ("host:0", "0 is no port"),
        ("[::1", "cannot be read"),
        ("a,b", "is no name of a computer"),
    ],
)
def test_what_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(AddressError, match=why):
        parse(text)


@pytest.mark.parametrize("text", ["http://admin:hunter2@10.0.0.5:8100", "admin:hunter2@space", "http://a:hunter2@b:c"])
def test_a_password_in_the_address_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(AddressError, match="do not belong") as refusal:
        parse(text)
    assert "hunter2" not in str(refusal.value)


def test_the_bare_address() -> None:
    assert parse("http://10.0.0.5:8100/index.html").bare == "http://10.0.0.5:8100"
    assert parse("https://[fd00::5]/x").bare == "https://[fd00::5]"
    assert parse("space/x").bare == "space"
