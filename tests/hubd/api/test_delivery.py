import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from seam.seam_webhook import SeamWebhook
from standardwebhooks.webhooks import WebhookVerificationError

from hubd.api import delivery
from hubd.api.delivery import SKIPPED_AT_ONCE, Patience, sign
from hubd.api.seam_events import seam_event
from hubd.model.errors import StoreError
from hubd.model.event import AccountEdited
from hubd.model.ids import event_seq
from hubd.store.tables import View
from tests.hubd.api.harness import Api, ShiftedClock, running_api
from tests.hubd.api.receiver import Receiver, receiving
from tests.support.site import eventually

ERASE = "UPDATE journal SET body = NULL WHERE CAST(body AS TEXT) LIKE ?"
QUICK = Patience(timeout=2.0, first_pause=0.01, longest_pause=0.05)
"""Pauses short enough for a test."""


class Diary(ShiftedClock):
    """Keeps the pauses that were slept."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await super().sleep(seconds)


@pytest_asyncio.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Api]:
    """A hub that delivers, with short pauses."""
    async with running_api(tmp_path / "data", patience=QUICK, clock=Diary()) as api:
        yield api


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A webhook's other end."""
    async with receiving() as running:
        yield running


async def register(api: Api, url: str, *types: str) -> dict[str, Any]:
    found: dict[str, Any] = (await api.ok("/webhooks/create", {"url": url, "event_types": types or ["*"]}))["webhook"]
    return found


async def rename(api: Api, *names: str) -> None:
    """Make one event for each name, of the lock that is Room 101 by its own name."""
    found = api.hub.devices.items()
    device_id = next(key for key, record in found if record.device.description.native_id == "lock-1")
    for name in names:
        await api.ok("/devices/update", {"device_id": device_id, "name": name})


def names(receiver: Receiver) -> list[str]:
    return [event["device_name"] for event in receiver.taken]


async def cuts(api: Api) -> list[dict[str, Any]]:
    rows = (await api.ok("/hub/journal", {"limit": 1000}))["rows"]
    return [row["body"] for row in rows if row["type"] == "cursor.cut"]


async def until(condition: Callable[[int], bool], api: Api) -> None:
    """Wait until the one cursor on the disk stands as it should."""
    read = api.hub.journal.database.read
    async with asyncio.timeout(5):
        while not condition((await read("SELECT seq FROM cursors"))[0][0]):  # noqa: ASYNC110 - a disk tells nobody
            await asyncio.sleep(0.005)


async def written(api: Api, event: dict[str, Any]) -> None:
    """Wait until the cursor stands on an event: its answer is on its way a moment before the hub has read it."""
    await until(lambda at: at == event_seq(api.hub.journal.epoch, event["event_id"]), api)


async def test_events_come_in_order_and_signed(hub: Api, receiver: Receiver) -> None:
    secret = (await register(hub, receiver.url))["secret"]
    await hub.ok("/locks/unlock_door", {"device_id": await hub.device_id()})
    await rename(hub, "Anna")
    await receiver.until(lambda r: len(r.got) == 3)
    assert receiver.types == ["lock.unlocked", "action_attempt.unlock_door.succeeded", "device.name_changed"]
    receiver.verify(secret)
    listed = (await hub.ok("/events/list"))["events"]
    assert receiver.taken == listed[-3:]
    with pytest.raises(WebhookVerificationError):
        SeamWebhook(secret).verify(receiver.got[0].body.decode() + " ", receiver.got[0].headers)


async def test_only_the_types_that_were_asked_for(hub: Api, receiver: Receiver) -> None:
    await register(hub, receiver.url, "lock.unlocked", "device.name_changed")
    await hub.ok("/locks/unlock_door", {"device_id": await hub.device_id()})
    await rename(hub, "Anna")
    await receiver.until(lambda r: len(r.got) == 2)
    assert receiver.types == ["lock.unlocked", "device.name_changed"]


async def test_nothing_from_before_the_webhook(hub: Api, receiver: Receiver) -> None:
    await rename(hub, "Anna")
    await register(hub, receiver.url)
    await rename(hub, "Berta")
    await receiver.until(lambda r: bool(r.got))
    assert names(receiver) == ["Berta"]


async def test_a_refusal_is_retried_with_growing_pauses(hub: Api, receiver: Receiver) -> None:
    await register(hub, receiver.url)
    receiver.statuses = [500, 404, 302, 410, 400, 503]
    await rename(hub, "Anna", "Berta")
    await receiver.until(lambda r: len(r.taken) == 2)
    assert [one.status for one in receiver.got] == [500, 404, 302, 410, 400, 503, 200, 200]
    assert len({one.headers["svix-id"] for one in receiver.got[:7]}) == 1
    assert names(receiver) == ["Anna", "Berta"]
    clock = hub.clock
    assert isinstance(clock, Diary)
    ceilings = [0.01, 0.02, 0.04, 0.05, 0.05, 0.05]
    pauses = clock.slept[-6:]
    assert all(ceiling / 2 <= pause <= ceiling for pause, ceiling in zip(pauses, ceilings, strict=True)), pauses


@given(st.integers(0, 10_000))
def test_pauses_grow_up_to_a_bound(failures: int) -> None:
    pause = Patience().pause(failures)
    assert 0.5 <= pause <= 300.0
    assert pause >= min(150.0, 2.0 ** min(failures - 1, 30) / 2)


async def test_nobody_listening(hub: Api, receiver: Receiver) -> None:
    await register(hub, "http://127.0.0.1:9/hook")
    await register(hub, f"http://{'x' * 70}.example/hook")
    await register(hub, receiver.url)
    await rename(hub, "Anna", "Berta")
    await receiver.until(lambda r: len(r.taken) == 2)
    clock = hub.clock
    assert isinstance(clock, Diary)
    await eventually(lambda: len(clock.slept) > 5)
    assert names(receiver) == ["Anna", "Berta"]


async def test_one_that_does_not_answer_holds_no_other(hub: Api, receiver: Receiver) -> None:
    async with receiving() as sick:
        sick.gate.clear()
        await register(hub, sick.url)
        await register(hub, receiver.url)
        await rename(hub, "Anna", "Berta")
        await receiver.until(lambda r: len(r.taken) == 2)
        assert (sick.waiting, sick.got) == (1, [])
        sick.gate.set()
        await sick.until(lambda r: len(r.taken) == 2)
        assert names(sick) == names(receiver) == ["Anna", "Berta"]


async def test_too_slow_is_no_answer(tmp_path: Path, receiver: Receiver) -> None:
    patience = Patience(timeout=0.05, first_pause=0.01, longest_pause=0.01)
    async with running_api(tmp_path / "data", patience=patience) as api:
        await register(api, receiver.url)
        receiver.gate.clear()
        await rename(api, "Anna")
        await receiver.until(lambda r: r.waiting >= 2)
        receiver.gate.set()
        await receiver.until(lambda r: bool(r.taken))
        assert set(names(receiver)) == {"Anna"}


async def test_a_change_of_the_list_disturbs_no_delivery(hub: Api, receiver: Receiver) -> None:
    await register(hub, receiver.url)
    receiver.gate.clear()
    await rename(hub, "Anna")
    await receiver.until(lambda r: r.waiting == 1)
    other = await register(hub, "http://127.0.0.1:9/hook", "x")
    await hub.ok("/webhooks/update", {"webhook_id": other["webhook_id"], "event_types": ["y"]})
    await hub.ok("/webhooks/delete", {"webhook_id": other["webhook_id"]})
    await asyncio.sleep(0.05)
    receiver.gate.set()
    await rename(hub, "Berta")
    await receiver.until(lambda r: len(r.got) == 2)
    assert names(receiver) == ["Anna", "Berta"]


async def test_types_changed_while_delivering(hub: Api, receiver: Receiver) -> None:
    webhook_id = (await register(hub, receiver.url, "device.name_changed"))["webhook_id"]
    receiver.gate.clear()
    await rename(hub, "Anna", "Berta")
    await receiver.until(lambda r: r.waiting == 1)
    await hub.ok("/webhooks/update", {"webhook_id": webhook_id, "event_types": ["lock.unlocked"]})
    await hub.ok("/locks/unlock_door", {"device_id": await hub.device_id("Room 102")})
    await asyncio.sleep(0.02)
    receiver.gate.set()
    await receiver.until(lambda r: len(r.got) == 2)
    assert receiver.types == ["device.name_changed", "lock.unlocked"]


async def test_deleted_while_posting(hub: Api, receiver: Receiver) -> None:
    webhook_id = (await register(hub, receiver.url))["webhook_id"]
    receiver.gate.clear()
    await rename(hub, "Anna", "Berta")
    await receiver.until(lambda r: r.waiting == 1)
    await hub.ok("/webhooks/delete", {"webhook_id": webhook_id})
    await eventually(lambda: f"webhook-{webhook_id}" not in {task.get_name() for task in asyncio.all_tasks()})
    receiver.gate.set()
    await rename(hub, "Cäcilie")
    await asyncio.sleep(0.05)
    assert names(receiver) in ([], ["Anna"])
    assert await hub.hub.journal.database.read("SELECT * FROM cursors") == []


async def test_across_restarts_none_is_lost_and_none_that_was_taken_comes_again(
    tmp_path: Path, receiver: Receiver
) -> None:
    for life in range(3):
        async with running_api(tmp_path / "data", patience=QUICK) as api:
            if life == 0:
                await register(api, receiver.url, "device.name_changed")
            await rename(api, f"{life} taken")
            await receiver.until(lambda r, life=life: names(r)[-1:] == [f"{life} taken"])  # type: ignore[misc]
            await written(api, receiver.taken[-1])
            receiver.status = 503
            await rename(api, f"{life} refused")
            await receiver.until(lambda r: r.got[-1].status == 503)
        receiver.status = 200
    assert names(receiver) == ["0 taken", "0 refused", "1 taken", "1 refused", "2 taken"]


async def test_a_stop_between_answer_and_cursor_repeats_one_event_at_most(tmp_path: Path, receiver: Receiver) -> None:
    for life in range(8):
        async with running_api(tmp_path / "data", patience=QUICK) as api:
            if life == 0:
                await register(api, receiver.url, "device.name_changed")
            before = len(receiver.got)
            await rename(api, *(f"{life}-{n}" for n in range(life + 1)))
            await receiver.until(lambda r, before=before: len(r.got) > before)  # type: ignore[misc]
    async with running_api(tmp_path / "data", patience=QUICK):
        expected = [f"{life}-{n}" for life in range(8) for n in range(life + 1)]
        await receiver.until(lambda r: names(r)[-1:] == expected[-1:])
    got = names(receiver)
    assert list(dict.fromkeys(got)) == expected
    assert len(got) - len(expected) <= 8


async def test_a_webhook_too_far_behind_is_cut_and_told(tmp_path: Path, receiver: Receiver) -> None:
    patience = Patience(timeout=2.0, first_pause=0.01, longest_pause=0.02, max_behind=5)
    async with running_api(tmp_path / "data", patience=patience) as api:
        webhook_id = (await register(api, receiver.url, "device.name_changed"))["webhook_id"]
        start = api.hub.journal.head
        receiver.status = 500
        await rename(api, *(f"n-{n}" for n in range(20)))
        await eventually(lambda: bool(api.hub.journal.head >= start + 21))
        receiver.status = 200
        await receiver.until(lambda r: names(r)[-1:] == ["n-19"])
        told = await cuts(api)
        assert (told[0]["cursor"], told[0]["first"]) == (f"webhook/{webhook_id}", start + 1)
        assert "more than 5 rows behind" in told[0]["reason"]
        got, everything = names(receiver), [f"n-{n}" for n in range(20)]
        assert got == everything[-len(got) :]
        rows = (await api.ok("/hub/journal", {"after": start, "limit": 1000}))["rows"]
        seqs = {row["body"]["nickname"]: row["seq"] for row in rows if row["type"] == "device.edited"}
        passed = {name for name in everything if any(cut["first"] <= seqs[name] <= cut["last"] for cut in told)}
        assert passed == {*everything} - {*got}


async def test_a_webhook_away_for_too_long_is_cut_and_told(tmp_path: Path, receiver: Receiver) -> None:
    clock = ShiftedClock()
    async with running_api(tmp_path / "data", patience=QUICK, clock=clock) as api:
        await register(api, receiver.url)
        receiver.status = 500
        await rename(api, "Anna", "Berta")
        await receiver.until(lambda r: bool(r.got))
    clock.ahead = timedelta(days=3, minutes=1)
    receiver.status = 200
    receiver.got.clear()
    async with running_api(tmp_path / "data", patience=QUICK, clock=clock) as api:
        (cut,) = await cuts(api)
        assert "older than 3 days" in cut["reason"]
        await rename(api, "Cäcilie")
        await receiver.until(lambda r: r.types[-1:] == ["device.name_changed"])
        assert [event.get("device_name") for event in receiver.taken][-1] == "Cäcilie"
        assert not {"Anna", "Berta"} & {event.get("device_name") for event in receiver.taken}


async def test_only_what_is_waited_for_grows_old(tmp_path: Path, receiver: Receiver) -> None:
    clock = ShiftedClock()
    async with running_api(tmp_path / "data", patience=QUICK, clock=clock) as api:
        await register(api, receiver.url, "lock.unlocked")
        await rename(api, "Anna", "Berta")
    clock.ahead = timedelta(days=30)
    async with running_api(tmp_path / "data", patience=QUICK, clock=clock) as api:
        await api.ok("/locks/unlock_door", {"device_id": await api.device_id("Room 102")})
        await receiver.until(lambda r: r.types == ["lock.unlocked"])
        assert await cuts(api) == []


async def test_what_the_journal_kept_no_more_is_told(tmp_path: Path, receiver: Receiver) -> None:
    async with running_api(tmp_path / "data", patience=QUICK) as api:
        await register(api, receiver.url)
        receiver.status = 500
        await rename(api, "Anna", "Berta")
        await receiver.until(lambda r: bool(r.got))
        await api.hub.journal.cut(api.clock.now())
    receiver.status = 200
    async with running_api(tmp_path / "data", patience=QUICK) as api:
        await rename(api, "Cäcilie")
        await receiver.until(lambda r: "Cäcilie" in [event.get("device_name") for event in r.taken])
        reasons = [cut["reason"] for cut in await cuts(api)]
        assert "older than the journal is kept" in reasons


async def test_an_erased_body_is_passed_over(tmp_path: Path, receiver: Receiver) -> None:
    async with running_api(tmp_path / "data", patience=QUICK) as api:
        await register(api, receiver.url, "device.name_changed")
        receiver.status = 500
        await rename(api, "Anna", "Berta", "Cäcilie")
        await receiver.until(lambda r: bool(r.got))
        await api.hub.journal.transact(lambda view: view.execute(ERASE, "%Berta%"))
    receiver.status = 200
    async with running_api(tmp_path / "data", patience=QUICK):
        await receiver.until(lambda r: len(r.taken) == 2)
        assert names(receiver) == ["Anna", "Cäcilie"]


async def test_rows_for_others_move_the_cursor_now_and_then(hub: Api, receiver: Receiver) -> None:
    await register(hub, receiver.url, "lock.unlocked")
    start = hub.hub.journal.head

    def many(view: View) -> None:
        for number in range(SKIPPED_AT_ONCE + 50):
            view.emit(AccountEdited(display_name=f"n-{number}"), instance="site")

    await hub.hub.journal.transact(many)
    await until(lambda at: at >= start + SKIPPED_AT_ONCE, hub)
    assert receiver.got == []


async def test_a_disk_that_refuses_ends_nothing(hub: Api, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    read = hub.hub.journal.database.read
    failures = [StoreError("io_error", "The disk reports an error.")] * 3

    async def sick(sql: str, parameters: Any = ()) -> Any:
        if "FROM webhooks ORDER" in sql and failures:
            raise failures.pop()
        return await read(sql, parameters)

    await register(hub, receiver.url)
    monkeypatch.setattr(hub.hub.journal.database, "read", sick)
    hub.hub.webhooks_changed.set()
    await eventually(lambda: not failures)
    await rename(hub, "Anna")
    await receiver.until(lambda r: names(r) == ["Anna"])


async def test_a_defect_on_one_row_ends_nothing(
    hub: Api, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failures = [ZeroDivisionError("defect")] * 2

    def broken(*arguments: Any) -> Any:
        if failures:
            raise failures.pop()
        return seam_event(*arguments)

    monkeypatch.setattr(delivery, "seam_event", broken)
    await register(hub, receiver.url)
    await rename(hub, "Anna")
    await receiver.until(lambda r: names(r) == ["Anna"])
    assert "by a defect of the hub" in caplog.text


async def test_a_secret_of_another_box_holds_no_other(tmp_path: Path, receiver: Receiver) -> None:
    async with running_api(tmp_path / "data") as api:
        sick = await register(api, receiver.url)
        secret = (await register(api, receiver.url))["secret"]
        sql = "UPDATE webhooks SET secret = ? WHERE webhook_id = ?"
        await api.hub.journal.transact(lambda view: view.execute(sql, bytes(40), sick["webhook_id"]))
    async with running_api(tmp_path / "data", patience=QUICK) as api:
        await rename(api, "Anna")
        await receiver.until(lambda r: "Anna" in [event.get("device_name") for event in r.taken])
        await asyncio.sleep(0.05)
        receiver.verify(secret)


def test_the_signature_is_svixs() -> None:
    """The example of Svix's own documentation."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signature = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
