from pathlib import Path

from hubd.core.codes import history
from hubd.core.codes.wishes import Change
from hubd.model.event import CodeCreated, CodeEdited, CodeGone, CodePlaced, CodeTakenOff
from tests.hubd.web.stage import stage, until


async def test_a_code_is_told_from_its_wish_to_its_end(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.keypad()
        code = await site.code(lock, name="Guest")
        await site.hub.codes.delete(code.code_id, "me")
        await until(lambda: code.code_id not in site.hub.journal.tables.codes)
        told = await history.of_code(site.hub.journal, code.code_id, 10)
        assert [type(one.event) for one in told] == [CodeGone, CodeTakenOff, CodeEdited, CodePlaced, CodeCreated]
        assert {(one.code_id, one.device_id, one.at) for one in told} == {
            (code.code_id, lock.device.device_id, site.clock.now())
        }
        assert await history.of_code(site.hub.journal, code.code_id, 2) == told[:2]
        assert await history.of_device(site.hub.journal, lock.device.device_id, 10) == told
        assert await history.gone(site.hub.journal, lock.device.device_id, 10) == told[:1]
        assert await history.of_code(site.hub.journal, "unknown", 10) == []


async def test_the_last_lines_of_several_codes(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.keypad()
        first = await site.code(lock, name="A")
        second = await site.code(lock, name="B")
        found = await history.last(site.hub.journal, [first.code_id, second.code_id, "unknown"], 1)
        assert {code_id: [type(one.event) for one in told] for code_id, told in found.items()} == {
            first.code_id: [CodePlaced],
            second.code_id: [CodePlaced],
            "unknown": [],
        }
        assert await history.last(site.hub.journal, [], 1) == {}


async def test_names_as_they_were_last(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.keypad()
        named, unnamed = await site.code(lock, name="A"), await site.code(lock)
        await site.hub.codes.update(named.code_id, Change(name="B"), "me")
        await site.hub.codes.update(named.code_id, Change(is_external_modification_allowed=True), "me")
        ids = [named.code_id, unnamed.code_id, "unknown"]
        assert await history.names(site.hub.journal, ids) == {named.code_id: "B"}
        await site.hub.codes.update(named.code_id, Change(name=None), "me")
        assert await history.names(site.hub.journal, ids) == {}
