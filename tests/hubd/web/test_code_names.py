from pathlib import Path

import pytest

from hubd.core.codes.wishes import Change
from hubd.model.event import BackupPulled, CodeGone, HubStarted
from hubd.web import code_names
from hubd.web.code_names import CodeNames
from tests.hubd.web.stage import stage, until


async def test_a_living_code_is_called_as_it_is_now(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.keypad(held={4: "1234"})
        code = await site.code(lock, name="Guest")
        names = CodeNames(site.hub.journal)
        assert names(code.code_id) == "the code “Guest”"
        await site.hub.codes.update(code.code_id, Change(name="Guest 2"), "config")
        assert names(code.code_id) == "the code “Guest 2”"
        (found,) = (one for one in site.hub.codes.of(lock.device.device_id) if not one.is_managed)
        assert names(found.code_id) == "a code that was set at the lock"


async def test_the_last_name_of_one_that_is_gone_is_learnt(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.keypad()
        code = await site.code(lock, name="Guest")
        await site.hub.codes.update(code.code_id, Change(name="Guest 2"), "config")
        await site.hub.codes.delete(code.code_id, "config")
        await until(lambda: code.code_id not in site.hub.journal.tables.codes)
        names = CodeNames(site.hub.journal)
        assert names(code.code_id) == "a code that is gone"
        gone = CodeGone(code_id="never was", reason="deleted")
        await names.learn([None, HubStarted(version="1"), gone, BackupPulled(code_id="x", backup_id=code.code_id)])
        assert names(code.code_id) == "the code “Guest 2”"
        assert names("never was") == "a code that is gone"


async def test_what_is_kept_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_names, "CAPACITY", 2)
    async with stage(tmp_path) as site:
        lock = await site.keypad()
        names = CodeNames(site.hub.journal)
        for name in ("A", "B", "C"):
            code = await site.code(lock, name=name)
            await site.hub.codes.delete(code.code_id, "config")
            await until(lambda: site.hub.codes.of(lock.device.device_id) == [])
            await names.learn([CodeGone(code_id=code.code_id, reason="deleted")])
        told = [row.event for row in await site.hub.journal.rows(0, 500) if isinstance(row.event, CodeGone)]
        assert [names(event.code_id) for event in told] == ["a code that is gone", "the code “B”", "the code “C”"]
