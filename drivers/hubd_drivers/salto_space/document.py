"""XML documents: a hardened parser into a small tree, and a writer of pure ASCII.

The parser is expat of the standard library, which loads nothing from outside. A document type, and with it any entity
declaration, is refused where it begins, before anything is expanded. Attributes and comments are dropped, a prefix is
taken off its name, and white space around a value is trimmed. Pure.
"""

import re
import sys
from collections.abc import Iterator
from functools import lru_cache
from typing import Final
from xml.parsers import expat  # its dangers are declarations of entities, which the parser here refuses

MAX_DEPTH: Final = 32
MAX_ELEMENTS: Final = 500_000
"""Of one document. Elements of records have 39 bytes on average, so 16 MiB of them have fewer than this."""
MAX_ATTRIBUTES: Final = 64
"""Of one element."""

_SPACE: Final = " \t\r\n"
_TEXT_PIECE: Final = 65_536
_DECLARED: Final = re.compile(rb"""<\?xml[^>]{0,120}?\sencoding\s*=\s*["']([A-Za-z0-9._\-]{1,40})["']""")
_EIGHT_BIT: Final = re.compile(
    r"(iso[-_]?8859[-_]?(1|2|3|4|5|6|7|8|9|10|13|14|15|16)|latin[-_]?1|(windows-|cp)125[0-8])$"
)
_REFERENCE: Final = re.compile(r"&#(?:x([0-9A-Fa-f]{1,8})|([0-9]{1,10}));")
_HTML: Final = re.compile(r"\s*<(!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*")
_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REPLACEMENT: Final = "\ufffd"
_ESCAPED: Final = re.compile("[&<>\r]")
_ESCAPES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}


class DocumentError(Exception):
    """A document that is not what it should be, in a sentence that quotes nothing of its content.

    Codes of `parse`: `empty`, `not_xml` (with `is_html` for a page), `malformed`, `bad_encoding`, `forbidden` (a
    document type), `too_deep`, `too_many_elements`, `too_many_attributes`. Of `write`: `bad_name`, `bad_character`,
    `too_deep`.
    """

    def __init__(self, code: str, message: str, *, is_html: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.is_html = is_html


class Element:
    """One element: a text, or elements below it. Its repr shows no text, which may be a secret."""

    __slots__ = ("children", "name", "text")

    def __init__(self, name: str, text: str = "", children: "list[Element] | None" = None) -> None:
        self.name = name
        self.text = text
        self.children = [] if children is None else children

    def child(self, name: str) -> "Element | None":
        """Return the first element of that name right below, None if there is none."""
        for one in self.children:
            if one.name == name:
                return one
        return None

    def value(self, name: str, default: str = "") -> str:
        """Return the trimmed text of the first element of that name right below."""
        one = self.child(name)
        return default if one is None else one.text.strip(_SPACE)

    def all(self, name: str) -> "list[Element]":
        """Return the elements of that name right below, in order."""
        return [one for one in self.children if one.name == name]

    def __iter__(self) -> "Iterator[Element]":
        return iter(self.children)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Element):
            return NotImplemented
        return (self.name, self.text, self.children) == (other.name, other.text, other.children)

    __hash__ = None  # type: ignore[assignment]  # it can be changed

    def __repr__(self) -> str:
        return f"<{self.name}: {len(self.children)} elements>"


def parse(body: bytes, *, max_depth: int = MAX_DEPTH, max_elements: int = MAX_ELEMENTS) -> Element:
    """Return the root of a document, without any text that stands beside elements. DocumentError if it is none.

    A character that XML cannot hold, raw or as a reference, is read as U+FFFD: a server may write those of a name that
    was pasted somewhere, and one person's name must not make a whole list unreadable. So no two ids become one.
    """
    text = _decode(body)
    if not text.strip(_SPACE):
        raise DocumentError("empty", "The message is empty.")
    if _HTML.match(text):
        raise _html()
    if not text.lstrip(_SPACE).startswith("<"):
        raise DocumentError("not_xml", "The message is not XML: it does not begin with an element.")
    text = text.lstrip(_SPACE)
    try:
        return _build(text, max_depth, max_elements)
    except expat.ExpatError as error:
        cleaned = _without_forbidden(text)
        if cleaned == text:
            raise _malformed(error) from None
    try:
        return _build(cleaned, max_depth, max_elements)
    except expat.ExpatError as error:
        raise _malformed(error) from None


def _malformed(error: expat.ExpatError) -> DocumentError:
    where = f"{expat.ErrorString(error.code)}, line {error.lineno}, column {error.offset}"
    return DocumentError("malformed", f"The message is not well-formed XML ({where}).")


def _without_forbidden(text: str) -> str:
    return _FORBIDDEN.sub(_REPLACEMENT, _REFERENCE.sub(_allowed, text))


def _allowed(reference: re.Match[str]) -> str:
    """Return a reference to a character that XML can hold as it is, else U+FFFD."""
    number = int(reference[1], 16) if reference[1] else int(reference[2])
    is_character = number <= sys.maxunicode and not _FORBIDDEN.match(chr(number))
    return reference[0] if is_character else _REPLACEMENT


def _build(text: str, max_depth: int, max_elements: int) -> Element:
    """Raises `expat.ExpatError`, `DocumentError`."""
    builder = _Builder(max_depth, max_elements)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.buffer_size = _TEXT_PIECE
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.pieces.append
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.Parse(text, True)  # noqa: FBT003 - expat's "this is all"
    return builder.top.children[0]


class _Builder:
    """Makes the tree. `pieces` is the text since the last tag, as expat hands it over."""

    def __init__(self, max_depth: int, max_elements: int) -> None:
        self.top = Element("")
        self.pieces: list[str] = []
        self._here = self.top
        self._above: list[Element] = []
        self._max_depth = max_depth
        self._left = max_elements

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if ":" in name:
            name = name.rpartition(":")[2] or name
        element = Element(name)
        above = self._above
        above.append(self._here)
        self._here.children.append(element)
        self._here = element
        self._left -= 1
        self.pieces.clear()
        if len(above) > self._max_depth:
            raise DocumentError("too_deep", f"The message has more than {self._max_depth} elements inside each other.")
        if self._left < 0:
            raise DocumentError("too_many_elements", "The message has more elements than any list of records has.")
        if len(attributes) > MAX_ATTRIBUTES:
            raise DocumentError("too_many_attributes", "An element of the message has too many attributes.")
        if len(above) == 1 and name.lower() == "html":
            raise _html()

    def end(self, _name: str) -> None:
        here = self._here
        if self.pieces:
            if not here.children:
                here.text = "".join(self.pieces).strip(_SPACE)
            self.pieces.clear()
        self._here = self._above.pop()


def _refuse_doctype(name: str, _system: str | None, _public: str | None, _internal: bool) -> None:  # noqa: FBT001 - expat's
    if name.lower() == "html":
        raise _html()
    raise DocumentError("forbidden", "The message declares a document type, which no message of this protocol does.")


def _html() -> DocumentError:
    return DocumentError("not_xml", "The message is a web page, not XML.", is_html=True)


def _decode(body: bytes) -> str:
    """Return the text: by its byte order mark, by its declaration, else as UTF-8, else as Latin-1."""
    if body.startswith(b"\xef\xbb\xbf"):
        body = body[3:]
    elif body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _strictly(body, "utf-16")
    elif body.startswith(b"<\x00"):
        return _strictly(body, "utf-16-le")
    elif body.startswith(b"\x00<"):
        return _strictly(body, "utf-16-be")
    declared = _DECLARED.search(body[:200])
    name = declared[1].decode().lower() if declared is not None else ""
    if _EIGHT_BIT.match(name):
        return body.decode(name, "replace")
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body.decode("latin-1")


def _strictly(body: bytes, encoding: str) -> str:
    try:
        return body.decode(encoding)
    except UnicodeDecodeError:
        raise DocumentError("bad_encoding", "The message begins as UTF-16 and is not.") from None


def write(element: Element) -> bytes:
    """Return the document of an element in pure ASCII: other characters as references, no white space between tags.

    An element with elements below it is written without its text. DocumentError for what XML cannot hold.
    """
    parts = ['<?xml version="1.0" encoding="UTF-8"?>']
    _write(element, parts, 1)
    return "".join(parts).encode("ascii", "xmlcharrefreplace")


def _write(element: Element, parts: list[str], depth: int) -> None:
    name = element.name
    if not _is_name(name):
        raise DocumentError("bad_name", f"{name[:40]!r} is not a name that an element can have.")
    if depth > MAX_DEPTH:
        raise DocumentError("too_deep", f"A message cannot have more than {MAX_DEPTH} elements inside each other.")
    if element.children:
        parts.append(f"<{name}>")
        for child in element.children:
            _write(child, parts, depth + 1)
        parts.append(f"</{name}>")
    elif element.text:
        if _FORBIDDEN.search(element.text):
            raise DocumentError("bad_character", f"{name} has a character that XML cannot hold. Take it out.")
        text = _ESCAPED.sub(lambda found: _ESCAPES[found[0]], element.text)
        parts.append(f"<{name}>{text}</{name}>")
    else:
        parts.append(f"<{name}/>")


@lru_cache(maxsize=1024)
def _is_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None
