"""The users of an access control system, as a list to be searched. Read-only; no telephone number, no card number."""

from datetime import datetime
from typing import Final

import msgspec

from hubd.core.access.reach import Reach
from hubd.model.access import AcsUser, CardState
from hubd.model.errors import NotFoundError
from hubd.store.access import GroupRecord, Problem, UserRecord
from hubd.web import words
from hubd.web.access_sentences import CHANGES
from hubd.web.desk import Desk
from hubd.web.parts import Part
from hubd.web.scene import first_upper
from hubd.web.sessions import Session
from hubd.web.survey import link_name
from hubd.web.words import Stamp, Tone, plain

PER_PAGE: Final = 50
MAX_GROUPS: Final = 8
_CARDS: Final[dict[CardState, tuple[str, Tone]]] = {
    "current": ("Card up to date", "ok"),
    "update_recommended": ("Card should be updated", "note"),
    "update_required": ("Card must be updated", "warn"),
    "reissue_required": ("Card must be written anew", "warn"),
    "expired": ("Card expired", "warn"),
    "unknown": ("Card", "quiet"),
}
_NO_CARD: Final[tuple[str, Tone]] = ("No card", "quiet")


class Sought(msgspec.Struct, frozen=True):
    """Which users a reader wants to see."""

    text: str = ""
    page: int = 1


class UserRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a row shows."""

    user_id: str
    name: str
    groups: tuple[str, ...]
    more_groups: int
    starts: Stamp | None
    ends: Stamp | None
    is_over: bool
    doors: str
    card: str
    card_tone: Tone
    is_suspended: bool
    is_present: bool
    problem: str


class UserTable(msgspec.Struct, frozen=True, kw_only=True):
    """The frame of the table."""

    instance: str
    link: str
    found: int
    first: int
    page: int
    pages: int
    text: str


async def user_parts(desk: Desk, session: Session, instance: str, sought: Sought) -> list[Part]:
    """Build the parts of the page. Raises `NotFoundError`."""
    if instance not in desk.hub.access.instances:
        raise NotFoundError("access_system_not_found", "There is no such access control system on this hub.")
    chosen = _choose(desk, instance, sought.text)
    pages = max(1, -(-len(chosen) // PER_PAGE))
    page = min(max(1, sought.page), pages)
    first = (page - 1) * PER_PAGE
    reach, groups = desk.hub.access.reach(instance), _groups(desk, instance)
    rows = [_row(desk, record, reach, groups) for record in chosen[first : first + PER_PAGE]]
    frame = UserTable(
        instance=instance,
        link=link_name(desk.hub, instance),
        found=len(chosen),
        first=first + 1,
        page=page,
        pages=pages,
        text=sought.text,
    )
    children = tuple(Part(f"user-{row.user_id}", "user.html", row) for row in rows)
    return [await desk.notices(session), Part("users", "users.html", frame, children)]


def _choose(desk: Desk, instance: str, text: str) -> list[UserRecord]:
    wanted = text.casefold().split()
    named = [(words.name(one.user.full_name), one) for one in desk.hub.access.users() if one.instance == instance]
    if wanted:
        named = [(name, one) for name, one in named if all(word in name.casefold() for word in wanted)]
    named.sort(key=lambda pair: (words.sort_key(pair[0]), pair[1].id))
    return [one for _, one in named]


def _groups(desk: Desk, instance: str) -> dict[str, str]:
    records = desk.hub.journal.tables.access.all(GroupRecord).values()
    return {one.group.native_id: words.name(one.group.name) for one in records if one.instance == instance}


def _row(desk: Desk, record: UserRecord, reach: Reach, groups: dict[str, str]) -> UserRow:
    user = record.user
    card, tone = _NO_CARD if user.card is None else _CARDS[user.card.state]
    names = sorted((groups.get(native_id, "a group that is gone") for native_id in user.groups), key=words.sort_key)
    said = "" if record.problem is None else problem_words(record.problem)
    return UserRow(
        user_id=record.id,
        name=words.name(user.full_name),
        groups=tuple(names[:MAX_GROUPS]),
        more_groups=max(0, len(names) - MAX_GROUPS),
        starts=None if user.starts_at is None else desk.stamp(user.starts_at),
        ends=None if user.ends_at is None else desk.stamp(user.ends_at),
        is_over=_is_over(user, desk.now),
        doors=words.count(len(reach.of_user(user, desk.now)), "door", "doors"),
        card=card,
        card_tone=tone,
        is_suspended=user.is_suspended,
        is_present=record.is_present,
        problem=said,
    )


def problem_words(problem: Problem) -> str:
    """Say what was not taken of a user or group, and why."""
    return first_upper(f"{CHANGES.get(problem.what, problem.what)} was not taken: {plain(problem.message)}")


def _is_over(user: AcsUser, now: datetime) -> bool:
    return user.ends_at is not None and user.ends_at <= now
