from pathlib import Path

import msgspec
import pytest

from hubd.model import LockSeen, Outcome, OutcomeKind, rejected, sent_unconfirmed, unreachable
from hubd.model.access import AcsGone
from hubd.model.event import HubStarted
from hubd.store.records import Row
from hubd.web.desk import Desk, Notices
from hubd.web.sessions import Notice, Session
from tests.hubd.web.space import space
from tests.hubd.web.stage import Stage, stage


async def notices(desk: Desk, *given: Notice) -> list[tuple[str, str, str]]:
    session = Session("k", desk.hub.clock.monotonic())
    for notice in given:
        session.tell(notice)
    values = (await desk.notices(session)).values
    assert isinstance(values, Notices)
    return [(notice.tone, notice.title, notice.text) for notice in values.notices]


async def pressed(site: Stage) -> Notice:
    lock = await site.lock("Room 1", LockSeen(native_id="Room 1", locked=True))
    return Notice(lock.device.device_id, site.clock.monotonic(), await site.order(lock))


async def test_a_done_order(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        notice = await pressed(site)
        assert await notices(site.desk, notice) == [("ok", "Unlock Room 1: done", "The lock confirmed it.")]


@pytest.mark.parametrize(
    ("outcome", "tone", "words"),
    [
        (sent_unconfirmed("The lock did not answer."), "warn", "sent, not confirmed"),
        (rejected("jam", "The bolt is jammed."), "bad", "refused"),
        (unreachable("gone", "The lock is out of reach."), "bad", "not sent"),
        (Outcome(OutcomeKind.UNSUPPORTED, "no", "It cannot."), "bad", "not supported"),
    ],
)
async def test_an_order_that_was_not_done_is_not_called_so(
    tmp_path: Path, outcome: Outcome, tone: str, words: str
) -> None:
    async with stage(tmp_path) as site:
        site.script.answer = lambda _: outcome
        notice = await pressed(site)
        assert await notices(site.desk, notice) == [(tone, f"Unlock Room 1: {words}", outcome.message)]


async def test_what_the_lock_says_later_decides(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        site.script.answer = lambda _: sent_unconfirmed("The lock did not answer.")
        notice = await pressed(site)
        await site.see(LockSeen(native_id="Room 1", locked=False))
        ((tone, title, text),) = await notices(site.desk, notice)
        assert (tone, title) == ("ok", "Unlock Room 1: sent, not confirmed")
        assert text == "The lock did not answer. The lock now reports that it is unlocked, as ordered."


async def test_a_refusal_before_any_order(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.lock("Room 1")
        refused = Notice(lock.device.device_id, site.clock.monotonic(), refusal="16 commands already wait.")
        assert await notices(site.desk, refused) == [("bad", "Order to Room 1: not taken", "16 commands already wait.")]


async def test_a_report_is_good_news(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        made = Notice("d", site.clock.monotonic(), title="The code “Guest”: made", report="The table says more.")
        assert await notices(site.desk, made) == [("ok", "The code “Guest”: made", "The table says more.")]


async def test_stages_are_counted_from_acceptance(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        notice = await pressed(site)
        assert notice.request_id is not None
        record = site.hub.journal.tables.command(notice.request_id)
        assert record is not None
        line = site.desk.order_line(record)
        assert (line.sent_after, line.ended_after, line.end) == ("0.00\u00a0s", "0.00\u00a0s", "done")
        waiting = site.desk.order_line(msgspec.structs.replace(record, started_at=None, settled_at=None, outcome=None))
        assert (waiting.sent_after, waiting.ended_after, waiting.end, waiting.sent_at) == ("", "", "", None)


async def test_who(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        key, _ = await site.keys.create("Front desk", "operator", "config")
        names = [site.desk.who(by) for by in (key.key_id, "config", "first start", "")]
        assert names == ["“Front desk”", "the configuration", "the hub at its first start", "somebody"]


async def test_lines(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        await site.lock("شقة علوية", native_id="n")
        line = site.desk.line((await site.desk.recent.rows())[0])
        assert line.text == "\u2068شقة علوية\u2069 was found."
        assert line.at.text == "13:00:00"  # noon in UTC
        now = site.clock.now()
        erased = site.desk.line(Row(9, "lock.changed", None, None, "gone", now, now, None))
        assert (erased.text, erased.device_id) == ("The content of this event was erased.", "gone")
        unknown = site.desk.line(Row(9, "hub.started", None, None, "gone", now, now, HubStarted(version="1")))
        assert unknown.device_id is None


async def test_users_are_named_as_long_as_they_are_known(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        at = await space(site)
        anna, other = await at.user("Anna\u202e Berger"), await at.user("אנה")
        assert site.desk.user_name(anna) == "“Anna Berger”"
        assert site.desk.user_name(other) == "“\u2068אנה\u2069”"
        assert site.desk.scene(None).user(anna) == "“Anna Berger”"
        await at.note(AcsGone("user", "Anna\u202e Berger"))
        assert site.desk.user_name(anna) == ""
