"""One look over all devices of the site: who is there, who is out of reach, what is wrong, worst first."""

from datetime import datetime

import msgspec

from hubd.core.cautions import cautions
from hubd.core.codes.plan import has_begun
from hubd.core.hub import Hub
from hubd.store.codes import CodeRecord
from hubd.store.records import DeviceRecord
from hubd.web import words
from hubd.web.condition import Rank, Reach, Trouble, reach, trouble
from hubd.web.words import Tone, plain


class Problem(msgspec.Struct, frozen=True):
    """Something wrong, as a sentence that begins with `who`."""

    rank: Rank
    tone: Tone
    who: str
    text: str
    device_id: str | None = None


class Known(msgspec.Struct, frozen=True):
    """A present device with its judgement."""

    record: DeviceRecord
    name: str
    reach: Reach
    trouble: Trouble | None
    cautions: tuple[str, ...] = ()
    """What needs a look though the device can be used, besides its trouble."""
    wrong_codes: int = 0
    """How many of its access codes have an error."""


class Survey(msgspec.Struct, frozen=True):
    """The site at one moment. Only managed devices count; lists are in the order of names, then of the config."""

    managed: list[Known]
    unmanaged: list[Known]
    problems: list[Problem]
    """Worst first; a lost link stands for all devices behind it."""

    @property
    def unreachable(self) -> int:
        """How many managed devices no order would get to."""
        return sum(not known.reach.ok for known in self.managed)

    @property
    def access(self) -> list[Known]:
        """The managed doors and encoders of access control systems, by name."""
        return [known for known in self.managed if known.record.device.description.is_access]

    def with_rank(self, *ranks: Rank) -> int:
        """Count problems of these kinds."""
        return sum(problem.rank in ranks for problem in self.problems)


def shown_name(record: DeviceRecord) -> str:
    """Return a device's name, fit to be shown."""
    return words.name(record.name, otherwise=record.device.description.native_id)


def link_name(hub: Hub, instance: str) -> str:
    """Return the name of a driver instance: what people called it, else the driver's title, with its id if need be."""
    record = hub.journal.tables.instances.get(instance)
    if record is not None and record.display_name:
        return words.name(record.display_name)
    if instance not in hub.health:
        return words.name(instance)
    title = hub.health[instance].manifest.title
    is_only = sum(health.manifest.title == title for health in hub.health.values()) == 1
    return title if is_only else f"{title} “{words.name(instance)}”"


def judge(hub: Hub, record: DeviceRecord) -> Known:
    """Judge one device."""
    reached = reach(record, hub.health.get(record.device.instance))
    worst = trouble(record, reached)
    if record.removed_at is not None:
        return Known(record, shown_name(record), reached, worst)
    others = tuple(plain(one.message) for one in cautions(hub, record) if one.code != "bolt_jammed")
    wrong = wrong_codes(hub, record)
    worst = worst or _climate(hub, record, reached)
    if wrong and worst is None:
        worst = Trouble(Rank.CODES, "warn", f"{words.count(wrong, 'code is', 'codes are')} not on the lock as wished.")
    if worst is None and others:
        worst, others = Trouble(Rank.CAUTION, "warn", others[0]), others[1:]
    return Known(record, shown_name(record), reached, worst, others, wrong)


def _climate(hub: Hub, record: DeviceRecord, reached: Reach) -> Trouble | None:
    """Say what is wrong with a room, or with how its thermostat is set; nothing of one that cannot be reached."""
    climate = record.state.climate
    if not reached.ok or climate is None:
        return None
    kept = hub.thermostats.get(record.device.device_id)
    now, low = climate.temperature_celsius, kept.thresholds.lower_celsius
    if kept.thresholds.exceeded_since is not None and now is not None:
        how = "cold" if low is not None and now < low else "warm"
        return Trouble(Rank.ROOM, "bad", f"it is too {how} ({words.celsius(now)}).")
    if kept.is_applied:
        return None
    plan = hub.thermostats.plan(record)
    if plan.hold is None or (kept.trouble is not None and kept.trouble.code == "override_not_allowed"):
        return None
    return Trouble(Rank.CLIMATE, "warn", f"it is not set as it should be. {plain(plan.message)}")


def wrong_codes(hub: Hub, record: DeviceRecord) -> int:
    """Count the codes of a device that have an error. Where all that have begun are in place this looks at no plan."""
    now = hub.codes.now().at
    codes = [code for code in hub.codes.of(record.device.device_id) if _may_be_wrong(code, now)]
    plan = hub.codes.plan(record.device.device_id) if codes else None
    return 0 if plan is None else sum(bool(hub.codes.errors(code, plan.holds.get(code.code_id))) for code in codes)


def _may_be_wrong(code: CodeRecord, now: datetime) -> bool:
    placed = code.placement
    if code.trouble is not None or code.tampering is not None:
        return True
    is_out = placed is None or placed.state != "set"
    return is_out and code.is_managed and has_begun(code, now)


def survey(hub: Hub) -> Survey:
    """Look over the site."""
    known = [judge(hub, record) for record in hub.devices.values() if record.removed_at is None]
    places = {instance: place for place, instance in enumerate(hub.instances)}
    known.sort(key=lambda one: (words.sort_key(one.name), places.get(one.record.device.instance, len(places))))
    managed = [one for one in known if one.record.is_managed]
    problems = [*_storage(hub), *_clock(hub), *_links(hub, managed), *_systems(hub)]
    for one in managed:
        if one.trouble is not None:
            device_id = one.record.device.device_id
            problems.append(Problem(one.trouble.rank, one.trouble.tone, one.name, one.trouble.text, device_id))
    problems.sort(key=lambda problem: problem.rank)
    return Survey(managed, [one for one in known if not one.record.is_managed], problems)


def _storage(hub: Hub) -> list[Problem]:
    problem = hub.journal.problem
    if problem is None:
        return []
    text = f"nothing can be written down, so no order is taken. {plain(problem.message)}"
    return [Problem(Rank.STORAGE, "bad", "Storage", text)]


def _clock(hub: Hub) -> list[Problem]:
    doubt = hub.sense.doubt
    return [] if doubt is None else [Problem(Rank.CLOCK, "warn", "Clock", doubt.sentence)]


def _systems(hub: Hub) -> list[Problem]:
    """Say what is not as it should be with the system behind a link, though it works, and which wishes are stuck."""
    problems: list[Problem] = []
    for instance, health in hub.health.items():
        name = link_name(hub, instance)
        for caution in health.cautions.values():
            text = f"{plain(caution.message)} {plain(caution.remedy)}".rstrip()
            problems.append(Problem(Rank.CAUTION, "warn", name, text))
        stuck = 0
        if instance in hub.access.instances and health.is_connected:
            stuck = sum(edit.trouble is not None for edit in hub.access.pending(instance))
        if stuck:
            text = f"{words.count(stuck, 'change is', 'changes are')} not taken yet; the hub tries again."
            problems.append(Problem(Rank.EDITS, "warn", name, text))
    return problems


def _links(hub: Hub, managed: list[Known]) -> list[Problem]:
    problems: list[Problem] = []
    for instance, health in hub.health.items():
        if health.is_connected:
            continue
        name = link_name(hub, instance)
        if health.error is None:
            problems.append(Problem(Rank.STARTING, "quiet", name, "still connecting."))
            continue
        behind = sum(one.record.device.instance == instance for one in managed)
        out = (
            f"{words.count(behind, 'device', 'devices')} behind it out of reach"
            if behind
            else "no device was behind it"
        )
        text = f"the {plain(health.error.hop, 40)} is not reachable; {out}."
        problems.append(Problem(Rank.LINK, "bad", name, text))
    gone = {one.record.device.instance for one in managed} - hub.health.keys()
    for instance in sorted(gone):
        text = "its driver is not configured any more; nothing can be sent to its devices."
        problems.append(Problem(Rank.LINK, "warn", words.name(instance), text))
    return problems
