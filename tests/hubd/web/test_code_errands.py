from datetime import UTC, datetime
from pathlib import Path

import pytest

from hubd.model import CodeSeen
from hubd.model.errors import InvalidInputError, NotFoundError, RefusedError
from hubd.web.code_errands import CodeErrands, said
from tests.hubd.web.stage import ZONE, Stage, stage, until
from tests.hubd.web.test_board import OPERATOR, VIEWER
from tests.support.clock import NOON


def errands(site: Stage) -> CodeErrands:
    return CodeErrands(site.hub, ZONE)


async def test_what_the_form_says_becomes_a_code(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.keypad()
        form = {"name": "  Guest\t12 ", "from": "2026-03-02T15:00", "to": "2026-03-04T11:00", "pin": " 4711 "}
        code = await errands(site).add(OPERATOR, lock, form)
        assert (code.name, site.hub.codes.pin(code), code.created_by) == ("Guest 12", "4711", "k")
        assert (code.starts_at, code.ends_at) == (
            datetime(2026, 3, 2, 14, tzinfo=UTC),
            datetime(2026, 3, 4, 10, tzinfo=UTC),
        )


async def test_what_is_left_empty_is_chosen(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.keypad()
        code = await errands(site).add(OPERATOR, lock, {"name": "", "from": "", "to": "", "pin": ""})
        assert (code.name, code.starts_at, code.ends_at, code.is_pin_chosen) == (None, None, None, False)
        assert len(site.hub.codes.pin(code) or "") in range(4, 9)
        until_later = await errands(site).add(OPERATOR, lock, {"to": "2026-03-04T11:00"})
        assert until_later.starts_at == NOON


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"from": "2026-03-29T02:30", "to": "2026-04-01T11:00"}, "From: does not exist: clocks are put forward then."),
        ({"from": "2026-03-29T15:00"}, "To: is needed: a time-bound code has both From and To."),
        ({"to": "2026-02-01T11:00"}, "To: must be later than From."),
        ({"to": "soon"}, "To: must be a time such as 2026-11-23 15:00."),
    ],
)
async def test_a_form_that_makes_no_sense(tmp_path: Path, form: dict[str, str], sentence: str) -> None:
    async with stage(tmp_path) as site:
        lock = await site.keypad()
        with pytest.raises(InvalidInputError) as caught:
            await errands(site).add(OPERATOR, lock, form)
        assert said(caught.value) == sentence
        assert site.hub.codes.of(lock.device.device_id) == []


async def test_a_pin_that_the_lock_would_not_take_is_not_repeated(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.keypad()
        with pytest.raises(InvalidInputError) as caught:
            await errands(site).add(OPERATOR, lock, {"pin": "73519264999"})
        assert said(caught.value).startswith("PIN: ")
        assert "73519264" not in said(caught.value)


async def test_any_code_can_be_removed(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.keypad(held={4: "1234"})
        await site.code(lock, name="Guest")
        for code in site.hub.codes.of(lock.device.device_id):
            await errands(site).remove(OPERATOR, code.code_id)
        await until(lambda: site.hub.codes.of(lock.device.device_id) == [])
        assert site.script.pins == {}
        with pytest.raises(NotFoundError):
            await errands(site).remove(OPERATOR, "unknown")


async def test_a_pin_is_shown_to_operators_and_leaves_a_line_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with stage(tmp_path) as site:
        lock = await site.keypad()
        code = await site.code(lock, name="Guest", pin="73519264")
        caplog.set_level("INFO", "hubd")
        assert errands(site).pin(OPERATOR, code.code_id) == "73519264"
        assert f"key k was shown the PIN of code {code.code_id}" in caplog.text
        assert "73519264" not in caplog.text


async def test_a_viewer_may_do_none_of_it(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.keypad()
        code = await site.code(lock, name="Guest")
        with pytest.raises(RefusedError, match="showing a PIN needs operator"):
            errands(site).pin(VIEWER, code.code_id)
        with pytest.raises(RefusedError, match="removing a code needs operator"):
            await errands(site).remove(VIEWER, code.code_id)
        with pytest.raises(RefusedError, match="adding a code needs operator"):
            await errands(site).add(VIEWER, lock, {})
        assert len(site.hub.codes.of(lock.device.device_id)) == 1


async def test_a_pin_that_nobody_knows(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.lock("Room 1", CodeSeen(native_id="Room 1", slot=7, is_used=True))
        (code,) = site.hub.codes.of(lock.device.device_id)
        with pytest.raises(RefusedError, match="nobody knows it here"):
            errands(site).pin(OPERATOR, code.code_id)
