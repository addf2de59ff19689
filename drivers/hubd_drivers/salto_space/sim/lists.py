"""Answers to the list requests: pages of records, with the links that were asked for.

How the start of a page is meant, how pages are ordered and what `EOF` says is inferred, and a quirk each. That the
other lists work as those of users and doors do is inferred, too.
"""

from collections.abc import Iterable
from typing import Final

from hubd_drivers.salto_space.document import Element
from hubd_drivers.salto_space.sim.quirks import Quirks
from hubd_drivers.salto_space.sim.records import Permit, Record
from hubd_drivers.salto_space.sim.replies import RefusalError, enclosed, fragment, leaf, node
from hubd_drivers.salto_space.sim.schema import UNUSED, Entity, Kind, Link
from hubd_drivers.salto_space.sim.state import Site

_NO_LIMIT: Final = 2**31


def number(params: Element, name: str, default: int) -> int:
    """Read a parameter. Raises `RefusalError` 503 for what is no number."""
    text = params.value(name)
    if not text:
        return default
    if not text.removeprefix("-").isdecimal():
        raise RefusalError(503, name)
    return int(text)


def switch(params: Element, name: str) -> bool:
    """Read a switch, 0 when it is left out. Raises `RefusalError` 503 for anything but 0 and 1."""
    text = params.value(name, "0")
    if text not in {"0", "1"}:
        raise RefusalError(503, name)
    return text == "1"


def only(params: Element, known: Iterable[str], quirks: Quirks) -> None:
    """Raise `RefusalError` 501 for parameters that there are not, on a server that minds."""
    if quirks.unknown_elements == "refused":
        strange = {child.name for child in params.children} - set(known)
        if strange:
            raise RefusalError(501, ", ".join(sorted(strange)))


def read(site: Site, quirks: Quirks, entity: Entity, params: Element) -> list[bytes]:
    """Return the `Params` of one page."""
    if entity.name == "Group" and not quirks.group_list:
        raise RefusalError(502, "SaltoDBGroupList.Read")
    start = f"StartingFrom{entity.id}"
    switches = [link.switch for link in entity.links]
    only(params, ["MaxCount", start, *switches], quirks)
    asked = tuple(link for link in entity.links if switch(params, link.switch))
    table = site.tables[entity.name]
    left = table.after(params.value(start), inclusive=quirks.page_start == "inclusive", by_id=quirks.page_order == "id")
    count = number(params, "MaxCount", 0)
    if count < 0:
        raise RefusalError(12, "MaxCount")
    most = min(count or _NO_LIMIT, quirks.page_cap or _NO_LIMIT)
    page = left[:most]
    rows = enclosed(f"{entity.element}List", (serialised(site, quirks, table[key], asked) for key in page))
    return [rows, *_eof(quirks, is_full=len(page) == most, is_last=len(page) == len(left))]


def _eof(quirks: Quirks, *, is_full: bool, is_last: bool) -> list[bytes]:
    if quirks.eof == "absent":
        return []
    says = is_last and not (quirks.eof == "late" and is_full)
    return [fragment(leaf("EOF", int(says)), "references")]


def serialised(site: Site, quirks: Quirks, record: Record, asked: tuple[Link, ...]) -> bytes:
    """Return a record with these lists, from its cache if it has not changed since."""
    key = (quirks.text, quirks.membership_ids, quirks.secrets, asked)
    if (kept := record.cache.get(key)) is None:
        kept = record.cache[key] = fragment(element(site, quirks, record, asked), quirks.text)
    return kept


def element(site: Site, quirks: Quirks, record: Record, asked: Iterable[Link]) -> Element:
    """Return a record as it is sent."""
    inner: list[Element] = []
    for field in record.entity.fields:
        if field.kind is Kind.LIST:
            inner.append(node(field.name))
        elif field.kind is Kind.PERIOD:
            ends = (record[f"{field.name}.StartDate"], record[f"{field.name}.EndDate"])
            if all(ends):
                inner.append(node(field.name, map(leaf, ("StartDate", "EndDate"), ends)))
        elif field.name in record.values:
            text = record[field.name]
            if field.is_secret and quirks.secrets != "shown":
                text = "*" * len(text) if quirks.secrets == "stars" else ""
            inner.append(leaf(field.name, text))
    for link in asked:
        near = leaf(record.entity.id, record.id) if quirks.membership_ids == "both" else None
        links = site.links(record, link).items()
        inner.append(node(link.element, (_item(link, near, far, permit) for far, permit in links)))
    return node(record.entity.element, inner)


def _item(link: Link, near: Element | None, far: str, permit: Permit) -> Element:
    inner = [near] if near is not None else []
    inner.append(leaf(link.far_id, far))
    if link.is_permission:
        ends = (permit.start or UNUSED, permit.end or UNUSED)
        inner += [
            leaf("TimezoneTableID", permit.timezone_table),
            leaf("UsePeriod", int(permit.start is not None)),
            node("Period", map(leaf, ("StartDate", "EndDate"), ends)),
        ]
    return node(link.item, inner)
