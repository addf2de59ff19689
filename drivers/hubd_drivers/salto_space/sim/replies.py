"""How the simulated server writes: fragments that can be kept, put together to replies.

Replies of real servers begin with a declaration in single quotes and lower case, and hold letters beyond ASCII as UTF-8
(a public client found the announced length to differ from the count of characters); both are the default here.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final, Literal

from hubd_drivers.salto_space import document
from hubd_drivers.salto_space.document import Element

type Text = Literal["utf-8", "iso-8859-1", "references"]

MESSAGES: Final[Mapping[int, str]] = {
    1: "Database error",
    4: "General error",
    7: "Business rule violated",
    10: "The element already exists",
    11: "The element was not found",
    12: "Invalid input parameter",
    13: "The license does not cover this feature",
    14: "License constraint exceeded",
    100: "Door not found",
    101: "The record is locked by another process",
    102: "The door already exists",
    200: "User not found",
    201: "The user is being edited by another operator",
    202: "The user already exists",
    203: "The card serial number is already used by another user",
    204: "The access levels are not valid for the user",
    205: "The cancellable through blacklist flag cannot be changed once a key exists",
    206: "The expiration is too long for a non cancellable key",
    300: "The user has no key",
    305: "The user already has a key",
    400: "Unknown peripheral",
    401: "No communication with the peripheral",
    402: "The peripheral is busy",
    403: "The key was not presented in time",
    404: "Error in the process",
    405: "The process was aborted",
    500: "The XML is not well formed",
    501: "Unexpected nodes in the XML",
    502: "Unknown request",
    503: "Bad data type",
    600: "The type of a zone cannot be changed",
    601: "There are too many low zones",
}
"""The real words are not public; a driver must not read them."""


class RefusalError(Exception):
    """An `Exception` reply."""

    def __init__(self, code: int, detail: str = "") -> None:
        self.code = code
        words = MESSAGES.get(code, f"Error {code}")
        super().__init__(f"{words}: {detail}" if detail else words)


def leaf(name: str, text: object = "") -> Element:
    """Return an element with text only."""
    return Element(name, str(text), [])


def node(name: str, children: Iterable[Element] = ()) -> Element:
    """Return an element with children only."""
    return Element(name, "", list(children))


def fragment(element: Element, text: Text) -> bytes:
    """Serialise one element, without a declaration."""
    body = document.write(element)
    if body.startswith(b"<?"):
        body = body[body.index(b"?>") + 2 :].lstrip()
    if text == "references" or b"&#" not in body:
        return body
    return re.sub(rb"&#(\d+);", lambda found: _letter(found, text), body)


def _letter(reference: re.Match[bytes], text: Text) -> bytes:
    number = int(reference[1])
    if number < 128:  # noqa: PLR2004 - ASCII: such a reference stands for what must not stand there as it is
        return reference[0]
    return chr(number).encode(text, "xmlcharrefreplace")


def whole(name: str, params: Iterable[bytes], text: Text) -> bytes:
    """Put a reply together from the fragments inside its `Params`."""
    head = fragment(leaf("RequestName", name), text)
    return b"".join(
        (_declaration(text), b"<RequestResponse>", head, *_around(b"Params", params), b"</RequestResponse>")
    )


def enclosed(name: str, fragments: Iterable[bytes]) -> bytes:
    """Put fragments into an element; an empty one is written short."""
    return b"".join(_around(name.encode("ascii"), fragments))


def failure(name: str, refusal: RefusalError, text: Text) -> bytes:
    """Return an `Exception` reply."""
    inner = node("Exception", (leaf("Code", refusal.code), leaf("Message", refusal)))
    root = node("RequestResponse", (leaf("RequestName", name), inner))
    return _declaration(text) + fragment(root, text)


def broken_up(reply: bytes) -> bytes:
    """Put a line break between elements and white space around values, as some servers do."""
    lines = reply.replace(b"><", b">\r\n<")
    return re.sub(rb">([^<>\s][^<>]*)</", rb">\r\n  \1\r\n</", lines)


def _around(name: bytes, fragments: Iterable[bytes]) -> Iterable[bytes]:
    inner = tuple(fragments)
    return (b"<" + name + b">", *inner, b"</" + name + b">") if inner else (b"<" + name + b"/>",)


def _declaration(text: Text) -> bytes:
    return b"<?xml version='1.0' encoding='%s'?>" % (b"utf-8" if text == "references" else text.encode("ascii"))
