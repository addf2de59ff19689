"""Insert, Update, InsertOrUpdate and Delete.

Public code shows that a list that is present in an Update replaces the old one. That a list left out is kept, that
scalars left out are kept, and which code answers a link to something that is not there, is inferred.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from hubd_drivers.salto_space.document import Element
from hubd_drivers.salto_space.sim.lists import only
from hubd_drivers.salto_space.sim.quirks import Quirks
from hubd_drivers.salto_space.sim.records import Permit, Record
from hubd_drivers.salto_space.sim.replies import RefusalError, fragment, leaf
from hubd_drivers.salto_space.sim.schema import ENTITIES, USER, Entity, Field, Kind, Link
from hubd_drivers.salto_space.sim.state import Site

LOW_ZONES = 96
_NO_EXPIRY = "2099-12-31T00:00:00"


class Wanted(NamedTuple):
    """What a request says of a record: only what it names."""

    values: dict[str, str]
    links: dict[Link, dict[str, Permit]]


def insert(site: Site, quirks: Quirks, entity: Entity, params: Element) -> list[bytes]:
    """Make a record under the host's own id."""
    wanted = _wanted(quirks, entity, params)
    _insert(site, quirks, entity, wanted)
    return _done(entity, wanted)


def update(site: Site, quirks: Quirks, entity: Entity, params: Element) -> list[bytes]:
    """Change a record."""
    wanted = _wanted(quirks, entity, params)
    _update(site, quirks, found(site, entity, wanted.values[entity.id]), wanted)
    return _done(entity, wanted)


def insert_or_update(site: Site, quirks: Quirks, entity: Entity, params: Element) -> list[bytes]:
    """Do what fits."""
    wanted = _wanted(quirks, entity, params)
    record = site.tables[entity.name].get(wanted.values[entity.id])
    if record is None:
        _insert(site, quirks, entity, wanted)
    else:
        _update(site, quirks, record, wanted)
    return _done(entity, wanted)


def delete(site: Site, quirks: Quirks, entity: Entity, params: Element) -> list[bytes]:
    """Take a record away."""
    only(params, [entity.id], quirks)
    record = found(site, entity, params.value(entity.id))
    _free(record)
    site.remove(record)
    return [fragment(leaf(entity.id, record.id), quirks.text)]


def found(site: Site, entity: Entity, key: str) -> Record:
    """Return the record of this id. Raises `RefusalError` with the entity's own code, or 12 without an id."""
    if not key:
        raise RefusalError(12, entity.id)
    record = site.tables[entity.name].get(key)
    if record is None:
        raise RefusalError(entity.missing, key)
    return record


def _free(record: Record) -> None:
    if record.holder is not None:
        raise RefusalError(record.entity.locked, record.holder)


def _done(entity: Entity, wanted: Wanted) -> list[bytes]:
    return [fragment(leaf(entity.id, wanted.values[entity.id]), "references")]


def _wanted(quirks: Quirks, entity: Entity, params: Element) -> Wanted:
    """Read what a request says. Raises `RefusalError` 12 without an id, 501 and 503 for what does not belong there."""
    only(params, [entity.element], quirks)
    body = params.child(entity.element)
    if body is None:
        raise RefusalError(501, f"{entity.element} is missing")
    wanted, links = Wanted({}, {}), {link.element: link for link in entity.links}
    for child in body.children:
        if (link := links.get(child.name)) is not None:
            wanted.links[link] = dict(_permit(link, item) for item in child.all(link.item))
        elif (field := entity.by_name.get(child.name)) is not None:
            _take(quirks, field, child.text.strip(), wanted.values)
        elif quirks.unknown_elements == "refused":
            raise RefusalError(501, child.name)
    if not wanted.values.get(entity.id):
        raise RefusalError(12, entity.id)
    return wanted


def _take(quirks: Quirks, field: Field, text: str, values: dict[str, str]) -> None:
    if field.is_read_only:
        if quirks.read_only_elements == "refused":
            raise RefusalError(501, field.name)
    elif field.kind is not Kind.LIST:
        shown = text or (field.default if field.kind is not Kind.TEXT else "")
        if not field.takes(shown):
            raise RefusalError(503, field.name)
        values[field.name] = padded(shown) if field.kind is Kind.MOMENT else shown


def padded(moment: str) -> str:
    """Write a time with two digits each, so that texts compare as times do; ``T24:00:00`` stays."""
    return re.sub(r"(?<=[-T])(\d)(?=[-T:])", r"0\1", moment)


def _permit(link: Link, item: Element) -> tuple[str, Permit]:
    """Read one item of a list: the id at the other end, and what the link says."""
    far = item.value(link.far_id)
    if not far:
        raise RefusalError(12, f"{link.item} without {link.far_id}")
    if not link.is_permission:
        return far, Permit()
    table, uses = item.value("TimezoneTableID", "0"), item.value("UsePeriod", "0")
    if not table.isdecimal() or uses not in {"0", "1"}:
        raise RefusalError(503, link.item)
    if uses == "0":
        return far, Permit(int(table))
    period = item.child("Period")
    ends = [period.value(name) if period is not None else "" for name in ("StartDate", "EndDate")]
    if not all(Field("", Kind.MOMENT).takes(end) for end in ends):
        raise RefusalError(503 if all(ends) else 12, "Period")
    return far, Permit(int(table), padded(ends[0]), padded(ends[1]))


def _insert(site: Site, quirks: Quirks, entity: Entity, wanted: Wanted) -> None:
    key = wanted.values[entity.id]
    taken = site.place(key) if entity.id == "ExtDoorID" else site.tables[entity.name].get(key)
    if taken is not None:
        raise RefusalError(entity.exists, key)
    if entity is USER and quirks.licensed_users is not None and len(site.users) >= quirks.licensed_users:
        raise RefusalError(14, f"{quirks.licensed_users} users")
    record = Record(entity, wanted.values)
    _check(site, quirks, record, wanted)
    made = site.add(entity, wanted.values)
    for link, permits in wanted.links.items():
        site.set_links(made, link, permits)


def _update(site: Site, quirks: Quirks, record: Record, wanted: Wanted) -> None:
    _free(record)
    values = dict(wanted.values)
    if quirks.scalars_left_out == "reset":
        fields = (field for field in record.entity.fields if field.kind not in {Kind.PERIOD, Kind.LIST})
        values = {field.name: field.default for field in fields if not field.is_read_only} | values
    changed = Record(record.entity, record.values | values)
    changed.partition = record.partition
    _check(site, quirks, changed, wanted, before=record)
    record.change(values)
    for link, permits in wanted.links.items():
        kept: Mapping[str, Permit] = site.links(record, link) if quirks.lists_on_update == "merged" else {}
        site.set_links(record, link, {**kept, **permits})


def _check(site: Site, quirks: Quirks, record: Record, wanted: Wanted, before: Record | None = None) -> None:
    """Raise `RefusalError` for what business rules forbid; nothing is changed by then."""
    for link, permits in wanted.links.items():
        for far in permits:
            if link.far and site.record(link.far, far) is None:
                raise RefusalError(ENTITIES[link.far].missing, far)
    if record.entity is USER:
        _check_user(site, quirks, record, wanted, before)
    elif record.entity.name == "Zone":
        low = sum(zone.is_set("IsLow") for zone in site.zones if zone.id != record.id)
        if record.is_set("IsLow") and low >= LOW_ZONES:
            raise RefusalError(601)
        if before is not None and before["IsLow"] != record["IsLow"]:
            raise RefusalError(600, record.id)


def _check_user(site: Site, quirks: Quirks, user: Record, wanted: Wanted, before: Record | None) -> None:
    rom = user["AutoKeyEdit.ROMCode"]
    others = (other for other in site.users if other.id != user.id)
    if rom and any(rom in {other["AutoKeyEdit.ROMCode"], other["CurrentROMCode"]} for other in others):
        raise RefusalError(203, rom)
    flag = "KeyIsCancellableThroughBlacklist"
    if before is not None and before.is_set("CurrentKeyExists") and before[flag] != user[flag]:
        raise RefusalError(205, user.id)
    if not user.is_set(flag):
        expires = user["UserExpiration"] if user.is_set("UserExpiration.Enabled") else _NO_EXPIRY
        latest = site.local(site.now() + timedelta(days=quirks.non_cancellable_days))
        if expires > latest:
            raise RefusalError(206, expires)
    for link, permits in wanted.links.items():
        if link.far == "Group":
            partitions = {site.groups[group].partition for group in permits} - {""}
            if partitions - {user["ExtPartitionID"]}:
                raise RefusalError(204, user.id)
    for name in ("UserActivation", "UserExpiration"):
        _real(name, user[name])


def _real(name: str, moment: str) -> None:
    """Raise `RefusalError` 503 for a date that is in no calendar."""
    try:
        datetime.fromisoformat(moment.replace("T24:", "T00:"))
    except ValueError:
        raise RefusalError(503, name) from None
