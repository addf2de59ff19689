from pathlib import Path

import pytest

from hubd.core.keys import Key
from hubd.model.errors import HubError
from hubd.model.event import Role
from hubd.web.errands import Errands
from tests.hubd.web.stage import Pairing, Stage, stage, until


async def key_of(site: Stage, role: Role) -> Key:
    return (await site.keys.create(role, role, "config"))[0]


async def test_a_box_that_is_not_ticked_says_no(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        key, errands = await key_of(site, "operator"), Errands(site.hub)
        run = await errands.start(key, "radio", {"action": "include", "a-seconds": "", "a-is_loud": "yes"})
        errands.cancel(key, run)
        await until(lambda: run.is_over)
        run = await errands.start(key, "radio", {"action": "include"})
        errands.cancel(key, run)
        assert [arguments for _, arguments, _ in site.script.acts] == [Pairing(is_loud=True), Pairing()]


@pytest.mark.parametrize(
    ("role", "form", "code", "words"),
    [
        ("operator", {}, "action_not_found", "no such action"),
        ("operator", {"action": "reset", "confirm": "yes"}, "forbidden", "needs owner"),
        ("owner", {"action": "reset"}, "not_confirmed", "Tick the box first: All devices are lost."),
        ("operator", {"action": "include", "a-seconds": "soon"}, "invalid_input", "seconds: must be a whole number"),
        ("operator", {"action": "include", "a-seconds": "5"}, "invalid_input", "seconds"),
        ("operator", {"action": "include", "a-pin": "5"}, "invalid_input", "pin: is no argument"),
        ("viewer", {"action": "ping"}, "invalid_input", "device_id: is needed"),
        ("viewer", {"action": "ping", "device": "nonsense"}, "device_not_found", "no such device"),
    ],
)
async def test_what_cannot_be_started_says_why(
    tmp_path: Path, role: Role, form: dict[str, str], code: str, words: str
) -> None:
    async with stage(tmp_path) as site:
        with pytest.raises(HubError) as caught:
            await Errands(site.hub).start(await key_of(site, role), "radio", form)
        assert caught.value.code == code
        assert words in caught.value.message
        assert site.script.acts == []


async def test_an_action_is_done_to_a_device_of_its_own_driver(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.lock("Room 101")
        form = {"action": "ping", "device": lock.device.device_id}
        key = await key_of(site, "viewer")
        with pytest.raises(HubError, match="no such action"):
            await Errands(site.hub).start(key, "other", form)
        run = await Errands(site.hub).start(key, "radio", form)
        assert run.device_id == lock.device.device_id
        Errands(site.hub).cancel(key, run)


async def test_who_may_not_start_may_neither_answer_nor_cancel(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        operator, viewer = await key_of(site, "operator"), await key_of(site, "viewer")
        errands = Errands(site.hub)
        run = await errands.start(operator, "radio", {"action": "include"})
        await until(lambda: run.question is not None)
        with pytest.raises(HubError, match="needs operator"):
            errands.answer(viewer, run, {"answer": "12345"})
        with pytest.raises(HubError, match="needs operator"):
            errands.cancel(viewer, run)
        assert run.state == "asking"
        errands.answer(operator, run, {"answer": " 12345 "})
        await until(lambda: run.state == "done")
