"""The page of the whole site, as parts."""

import msgspec

from hubd.core.health import InstanceHealth
from hubd.core.keys import Key
from hubd.driver.checks import CHECK
from hubd.model.command import Order
from hubd.web import doors, moments, words
from hubd.web.condition import Rank
from hubd.web.desk import Desk, Lines, Orders
from hubd.web.parts import Part
from hubd.web.rows import DeviceRow, device_row
from hubd.web.sessions import Session
from hubd.web.survey import Known, Problem, Survey, judge, link_name, survey
from hubd.web.waiting import waiting
from hubd.web.words import Stamp, Tone, plain

PER_PAGE = 100
MAX_PROBLEMS = 8
MAX_PENDING = 20
MAX_UNMANAGED = 20
MAX_TEXT = 100
MAX_DOORS = 20
"""So many doors of a system stand on the page of the site, those with something to tell first."""
MAX_ENCODERS = 5
FEW_CHANGES = 3
"""So many changes of codes may wait for a radio without a word."""
SHOWS = {
    "all": "All",
    "problems": "With a problem",
    "locks": "Locks",
    "thermostats": "Thermostats",
    "doors": "Doors",
    "encoders": "Encoders",
    "unmanaged": "Not managed",
}


class Query(msgspec.Struct, frozen=True):
    """Which devices a reader wants to see."""

    text: str = ""
    show: str = "all"
    page: int = 1

    @property
    def is_filtered(self) -> bool:
        """Whether anything was asked for."""
        return bool(self.text) or self.show != "all"


class Counter(msgspec.Struct, frozen=True):
    """A number with its noun."""

    text: str
    tone: Tone = "quiet"


class Summary(msgspec.Struct, frozen=True):
    """The site in one glance: the worst problem, the next ones, numbers."""

    worst: Problem | None
    others: tuple[Problem, ...]
    more: int
    counters: tuple[Counter, ...]


class Hop(msgspec.Struct, frozen=True):
    """One place on the way from the hub to the devices. `ok` None: not known."""

    name: str
    ok: bool | None
    note: str = ""


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A driver instance, hop by hop, with what can be done about the first broken one."""

    instance: str
    name: str
    state: str
    tone: Tone
    since: Stamp
    hops: tuple[Hop, ...]
    why: str
    remedy: str
    next_try: str
    backlog: str = ""
    """What waits for its radio, where that is more than a few changes."""
    check: str = ""
    """The action that looks for what is wrong, where something is and the driver has checks."""


class Links(msgspec.Struct, frozen=True):
    """All driver instances."""

    links: tuple[Link, ...]


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """The frame of the device table."""

    found: int
    first: int
    page: int
    pages: int
    query: Query
    is_filtered: bool
    has_doors: bool = False
    """Doors and encoders have sections of their own, below."""


class Doors(msgspec.Struct, frozen=True, kw_only=True):
    """The frame of the section of an access control system; `part` is the id of its element."""

    part: str
    instance: str
    link: str
    counts: str
    notes: tuple[str, ...]
    more_doors: int
    more_encoders: int


class Unmanaged(msgspec.Struct, frozen=True):
    """The frame of the other devices' table."""

    found: int
    more: int


def read_query(pairs: tuple[tuple[str, str], ...]) -> Query:
    """Read a query string; what makes no sense counts as not said."""
    given = dict(pairs)
    page, show = given.get("p", ""), given.get("show", "")
    return Query(
        plain(given.get("q", ""), MAX_TEXT),
        show if show in SHOWS else "all",
        int(page) if page.isascii() and page.isdigit() and len(page) < 6 else 1,  # noqa: PLR2004 - far beyond any site
    )


async def site_parts(desk: Desk, session: Session, key: Key, query: Query) -> list[Part]:
    """Build the parts of the page. Raises `StoreError`."""
    found = survey(desk.hub)
    rows = await desk.recent.rows()
    await desk.code_names.learn(row.event for row in rows)
    lines = tuple(desk.line(row) for row in rows)
    return [
        await desk.notices(session),
        Part("summary", "summary.html", _summary(found)),
        Part("links", "links.html", _links(desk, found, key)),
        Part("pending", "pending.html", _pending(desk)),
        waiting(desk),
        _devices(desk, found, key, query),
        *_systems(desk, found, key, query),
        _unmanaged(desk, found),
        Part("events", "events.html", Lines(lines)),
    ]


def _summary(found: Survey) -> Summary:
    problems = found.problems
    batteries = found.with_rank(Rank.BATTERY_CRITICAL, Rank.BATTERY_LOW)
    jammed = found.with_rank(Rank.JAMMED)
    is_written = not found.with_rank(Rank.STORAGE)
    entrances = sum(known.record.device.description.kind == "entrance" for known in found.access)
    counters = [Counter(words.count(len(found.managed) - entrances, "device", "devices"))]
    if entrances:
        counters.append(Counter(words.count(entrances, "door", "doors")))
    if found.unmanaged:
        counters.append(Counter(f"{len(found.unmanaged)} not managed"))
    counters.append(Counter(f"{found.unreachable} unreachable", "bad" if found.unreachable else "quiet"))
    if alarms := found.with_rank(Rank.ALARM):
        counters.append(Counter(words.count(alarms, "alarm", "alarms"), "bad"))
    if jammed:
        counters.append(Counter(f"{jammed} jammed", "bad"))
    if batteries:
        counters.append(Counter(words.count(batteries, "low battery", "low batteries"), "warn"))
    counters.append(Counter("storage ok") if is_written else Counter("storage broken", "bad"))
    others = tuple(problems[1 : 1 + MAX_PROBLEMS])
    return Summary(problems[0] if problems else None, others, max(0, len(problems) - 1 - MAX_PROBLEMS), tuple(counters))


def link_of(desk: Desk, instance: str, key: Key) -> Link:
    """Tell how one driver instance is."""
    records = [r for r in desk.hub.devices.values() if r.device.instance == instance and r.removed_at is None]
    devices = [judge(desk.hub, record) for record in records]
    return _link(desk, instance, devices, key)


def _links(desk: Desk, found: Survey, key: Key) -> Links:
    behind: dict[str, list[Known]] = {instance: [] for instance in desk.hub.health}
    for known in (*found.managed, *found.unmanaged):
        behind.setdefault(known.record.device.instance, []).append(known)
    return Links(tuple(_link(desk, name, behind[name], key) for name in sorted(desk.hub.health)))


def _link(desk: Desk, instance: str, devices: list[Known], key: Key) -> Link:
    health = desk.hub.health[instance]
    error = health.error
    actions = desk.hub.actions.catalogue(instance)
    may_check = any(one.name == CHECK and key.may(one.role) for one in actions)
    states: dict[str, Tone] = {"connected": "ok", "lost": "bad"}
    return Link(
        instance=instance,
        name=link_name(desk.hub, instance),
        state={"connected": "connected", "lost": "link lost"}.get(health.state, "connecting"),
        tone=states.get(health.state, "quiet"),
        since=desk.stamp(health.since),
        hops=(Hop("hub", ok=True), *_hops(health), _last_hop(health, devices)),
        why="" if error is None else plain(error.message),
        remedy="" if error is None else plain(error.remedy),
        next_try="" if error is None else _next_try(desk, health),
        backlog=_backlog(desk, instance),
        check=CHECK if error is not None and may_check else "",
    )


def _backlog(desk: Desk, instance: str) -> str:
    waiting = desk.hub.codes.backlog(instance) if instance in desk.hub.instances else None
    if waiting is None or waiting.steps <= FEW_CHANGES:
        return ""
    return f"{waiting.steps} changes of codes wait, about {moments.rough(waiting.seconds)}."


def _hops(health: InstanceHealth) -> list[Hop]:
    hops = [Hop(plain(hop.name, 40), hop.ok) for hop in health.hops()]
    if health.error is not None and all(hop.ok for hop in hops):
        hops = [Hop(hops[0].name, ok=False), *(Hop(hop.name, ok=None) for hop in hops[1:])]
    return hops


def _last_hop(health: InstanceHealth, devices: list[Known]) -> Hop:
    if not health.is_connected:
        return Hop(words.count(len(devices), "device", "devices"), ok=None)
    silent = sum(not known.reach.ok for known in devices)
    note = f"{silent} not answering" if silent else ""
    return Hop(words.count(len(devices), "device", "devices"), ok=not silent, note=note)


def _next_try(desk: Desk, health: InstanceHealth) -> str:
    tries = words.count(health.attempts, "try", "tries") + " so far" if health.attempts else ""
    if health.next_try_at is None or health.next_try_at <= desk.now:
        return f"Trying now{', ' + tries if tries else ''}."
    return f"Next try at {desk.stamp(health.next_try_at).text}{', ' + tries if tries else ''}."


def _pending(desk: Desk) -> Orders:
    records = list(desk.hub.journal.tables.open_commands.values())
    shown = tuple(desk.order_line(record) for record in records[:MAX_PENDING])
    return Orders(shown, max(0, len(records) - MAX_PENDING))


def busy(desk: Desk) -> dict[str, Order]:
    """Return the first order under way on each device."""
    result: dict[str, Order] = {}
    for record in desk.hub.journal.tables.open_commands.values():
        result.setdefault(record.command.device_id, record.command)
    return result


def _devices(desk: Desk, found: Survey, key: Key, query: Query) -> Part:
    chosen = _choose(found, query)
    pages = max(1, -(-len(chosen) // PER_PAGE))
    page = min(max(1, query.page), pages)
    first = (page - 1) * PER_PAGE
    orders, now = busy(desk), desk.now
    rows: list[DeviceRow] = []
    for known in chosen[first : first + PER_PAGE]:
        order = orders.get(known.record.device.device_id)
        rows.append(device_row(known, order, now, desk.zone, acts=key.may("operator")))
    frame = Table(
        found=len(chosen),
        first=first + 1,
        page=page,
        pages=pages,
        query=query,
        is_filtered=query.is_filtered,
        has_doors=bool(found.access) and not query.is_filtered,
    )
    return Part("devices", "devices.html", frame, tuple(Part(f"d-{row.device_id}", "row.html", row) for row in rows))


def _choose(found: Survey, query: Query) -> list[Known]:
    match query.show:
        case "problems":
            chosen = [known for known in found.managed if known.trouble is not None or not known.reach.ok]
        case "locks" | "thermostats":
            kind = query.show.removesuffix("s")
            chosen = [known for known in found.managed if known.record.device.description.kind == kind]
        case "doors":
            chosen = [known for known in found.access if known.record.device.description.kind == "entrance"]
        case "encoders":
            chosen = [known for known in found.access if known.record.device.description.kind == "encoder"]
        case "unmanaged":
            chosen = found.unmanaged
        case _ if not query.is_filtered:
            chosen = [known for known in found.managed if not known.record.device.description.is_access]
        case _:
            chosen = found.managed
    wanted = query.text.casefold().split()
    return [known for known in chosen if _matches(known, wanted)] if wanted else chosen


def _matches(known: Known, wanted: list[str]) -> bool:
    description = known.record.device.description
    own = (known.name, description.name, description.native_id, description.manufacturer, description.model)
    text = " ".join(part[:200] for part in own if part).casefold()
    return all(word in text for word in wanted)


def systems_of(desk: Desk) -> list[str]:
    """Return the ids of the parts that are sections of access control systems."""
    return [f"access-{instance}" for instance in sorted(desk.hub.access.instances)]


def _systems(desk: Desk, found: Survey, key: Key, query: Query) -> list[Part]:
    """Build a section for each access control system; what was asked for stands among the devices instead."""
    behind: dict[str, list[Known]] = {}
    for known in () if query.is_filtered else found.access:
        behind.setdefault(known.record.device.instance, []).append(known)
    orders = busy(desk)
    return [
        _system(desk, instance, behind.get(instance, []), orders, acts=key.may("operator"))
        for instance in sorted(desk.hub.access.instances)
    ]


def _system(desk: Desk, instance: str, behind: list[Known], orders: dict[str, Order], *, acts: bool) -> Part:
    every = [one for one in behind if one.record.device.description.kind == "entrance"]
    encoders = [one for one in behind if one.record.device.description.kind == "encoder"]
    tells = [one for one in every if one.trouble is not None or one.reach.is_own or doors.in_force(one.record.state)]
    telling = {id(one) for one in tells}
    quiet = sorted((one for one in every if id(one) not in telling), key=_is_standalone)  # what can be opened first
    shown = [*tells, *quiet][:MAX_DOORS] + encoders[:MAX_ENCODERS]
    standalone = sum(map(_is_standalone, every))
    frame = Doors(
        part=f"access-{instance}",
        instance=instance,
        link=link_name(desk.hub, instance),
        counts=", ".join(
            (
                words.count(len(every), "door", "doors"),
                f"{standalone} not wired",
                words.count(len(encoders), "encoder", "encoders"),
            )
        ),
        notes=_pending_words(desk, instance),
        more_doors=max(0, len(every) - MAX_DOORS),
        more_encoders=max(0, len(encoders) - MAX_ENCODERS),
    )
    rows = [device_row(one, orders.get(one.record.device.device_id), desk.now, desk.zone, acts=acts) for one in shown]
    return Part(frame.part, "doors.html", frame, tuple(Part(f"d-{row.device_id}", "row.html", row) for row in rows))


def _is_standalone(known: Known) -> bool:
    return doors.is_standalone(known.record.device.description.capabilities)


def _pending_words(desk: Desk, instance: str) -> tuple[str, ...]:
    pending = len(desk.hub.access.pending(instance))
    return (words.count(pending, "change waits", "changes wait"),) if pending else ()


def _unmanaged(desk: Desk, found: Survey) -> Part:
    shown = found.unmanaged[:MAX_UNMANAGED]
    rows = [device_row(known, None, desk.now, desk.zone, acts=False) for known in shown]
    frame = Unmanaged(len(found.unmanaged), len(found.unmanaged) - len(shown))
    return Part(
        "unmanaged", "unmanaged.html", frame, tuple(Part(f"u-{row.device_id}", "other.html", row) for row in rows)
    )
