"""What people type where a host is asked: a name, an address, `HOST:PORT`, or what stands in their browser."""

import re
from ipaddress import IPv6Address
from typing import Final
from urllib.parse import SplitResult, urlsplit

import msgspec

MOST_CHARACTERS: Final = 300


class AddressError(ValueError):
    """Not an address; the text goes on after a semicolon and tells what is wrong."""


class Parts(msgspec.Struct, frozen=True):
    """What an address says."""

    scheme: str
    """In lower case; empty if there is none."""
    host: str
    """An IPv6 address without its brackets."""
    port: int | None
    has_path: bool
    """Something other than a slash follows."""

    @property
    def bare(self) -> str:
        """The same without what follows."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (f"{self.scheme}://" if self.scheme else "") + host + (f":{self.port}" if self.port else "")


def parse(text: str) -> Parts:
    """Take an address apart; white space around it does not count. Raises `AddressError`."""
    text = text.strip()
    if not text:
        raise AddressError("it is empty")
    if len(text) > MOST_CHARACTERS or not text.isprintable() or " " in text:
        raise AddressError("it has spaces or other characters in it that no address has")
    if "\\" in text:
        raise AddressError(f"{text!r} is a Windows share; write the computer's name or address alone")
    split, port = _split(text if "://" in text else f"//{text}", text)
    if "@" in split.netloc:
        raise AddressError("a user name and password do not belong into it; there are username and secret_file")
    if not split.hostname:
        raise AddressError(f"there is no host in {text!r}")
    if ":" not in split.hostname and not re.fullmatch(r"[\w.-]+", split.hostname):
        raise AddressError(f"{split.hostname!r} is no name of a computer")
    has_path = split.path not in {"", "/"} or bool(split.query or split.fragment)
    return Parts(split.scheme, split.hostname, port, has_path)


def _split(url: str, text: str) -> tuple[SplitResult, int | None]:
    try:
        if _is_bare_ipv6(text):
            return urlsplit(f"//[{text}]"), None
        split = urlsplit(url)
        port = split.port
    except ValueError as error:
        what = "a user name and password do not belong into it" if "@" in text else f"{text!r} cannot be read: {error}"
        raise AddressError(what) from None
    if port == 0:
        raise AddressError("0 is no port")
    return split, port


def _is_bare_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True
