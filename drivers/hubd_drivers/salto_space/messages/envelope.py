"""Requests and replies as such: `RequestCall` and `RequestResponse`, pages of records, and lists in requests."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from hubd_drivers.salto_space.document import DocumentError, Element, parse, write
from hubd_drivers.salto_space.faults import NO_CODE, Fault
from hubd_drivers.salto_space.fields import flag, identifier, number


class Effect(StrEnum):
    """What sending a request does, and so whether it may be sent again when its answer was lost."""

    READS = "reads"
    """Nothing changes: send it as often as you like."""
    WRITES = "writes"
    """It changes records: read them again before you repeat it."""
    MOVES = "moves"
    """It moves doors: never send it again by yourself."""
    ENCODES = "encodes"
    """It waits for a card at an encoder, and writes it: never again by yourself, and with a longer time-out."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Its repr does not show what it carries."""

    name: str
    params: Element = field(repr=False)
    effect: Effect = Effect.READS

    @property
    def body(self) -> bytes:
        """The whole message in pure ASCII, made anew each time; DocumentError for what XML cannot hold."""
        return write(Element("RequestCall", children=[Element("RequestName", self.name), self.params]))


class Page[T](msgspec.Struct, frozen=True, kw_only=True):
    """One page of a list."""

    records: tuple[T, ...]
    eof: bool | None = None
    """Whether it is the last page; None if the server does not say."""
    broken: int = 0
    """Records that were left out because they have no usable id. A page that has any proves nothing to be gone."""
    raw: tuple[Element, ...] = ()
    """The elements of `records`, in the same order, where they were asked for."""


def call(name: str, *params: Element, effect: Effect = Effect.READS) -> Request:
    """Return a request with these parameters."""
    return Request(name, Element("Params", children=list(params)), effect)


def page_request(name: str, count: int, start_name: str, start: str, switches: Iterable[str] = ()) -> Request:
    """Return a request for one page, with those switches only that are asked for: a server may refuse others."""
    if count < 1:
        raise ValueError("a page has at least one record")
    params = [Element("MaxCount", str(count))]
    if start:
        params.append(Element(start_name, start))
    return call(name, *params, *(Element(switch, "1") for switch in switches))


def checked(ids: Iterable[str]) -> list[str]:
    """Return ids, each once. ValueError for an empty id, which may mean anything, and for a text instead of a list."""
    if isinstance(ids, str):
        raise ValueError("give the ids as a list")  # noqa: TRY004 - one kind of error for every bad list
    found = list(dict.fromkeys(ids))
    if not all(one.strip() for one in found):
        raise ValueError("an id is empty")
    return found


def id_list(list_name: str, item_name: str, ids: Iterable[str]) -> Element:
    """Return a list of `checked` ids."""
    return Element(list_name, children=[Element(item_name, one) for one in checked(ids)])


def read_reply(body: bytes, expected: str) -> Element:
    """Return the `Params` of the reply to the request `expected`.

    Fault if the server refused, whatever name it gives the request. DocumentError, besides those of `parse`, for what
    is none: `not_a_reply` (another document), `other_reply` (to another request), `no_params`.
    """
    root = parse(body)
    if root.name != "RequestResponse":
        raise DocumentError("not_a_reply", f"The message is XML, but no reply of Space: it is a {root.name[:40]!r}.")
    refusal = root.child("Exception")
    if refusal is not None:
        code = number(refusal.value("Code"))
        raise Fault(NO_CODE if code is None else code, expected, refusal.value("Message"))
    name = root.value("RequestName")
    if name != expected:
        raise DocumentError("other_reply", f"Space was asked for {expected} and answered {name[:60]!r}.")
    params = root.child("Params")
    if params is None:
        raise DocumentError("no_params", f"The reply to {expected} holds neither a result nor an error.")
    return params


def read_page[T](
    params: Element, list_name: str, record_name: str, read: Callable[[Element], T | None], *, raw: bool = False
) -> Page[T]:
    """Read a list of records; `read` returns None for a record without an id.

    A reply without the list is an empty last page if it says `EOF`, and DocumentError `no_list` if it does not: taken
    for an empty one, it would make everything look deleted.
    """
    eof = flag(params.value("EOF"))
    found = params.child(list_name)
    if found is None:
        if not eof:
            raise DocumentError("no_list", f"The reply has no {list_name}.")
        return Page(records=(), eof=True)
    elements: Sequence[Element] = found.all(record_name)
    pairs = [(element, record) for element in elements if (record := read(element)) is not None]
    return Page(
        records=tuple(record for _, record in pairs),
        eof=eof,
        broken=len(elements) - len(pairs),
        raw=tuple(element for element, _ in pairs) if raw else (),
    )


def read_id(params: Element, name: str) -> str | None:
    """Return the ext id with which the server answers a change; None if it carries none."""
    return identifier(params.value(name))


def texts(element: Element) -> dict[str, str]:
    """Return the texts right below an element by name; of several with one name the first."""
    return {one.name: one.text for one in reversed(element.children)}
