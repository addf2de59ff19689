"""What drivers say of their actions, however odd, in rows, log and memory."""

from pathlib import Path
from typing import Any

import pytest

from hubd.core.runs import LONGEST_MESSAGE
from hubd.driver import ActionError, ActionResult, Arguments, DriverError, Progress
from tests.hubd.core.test_actions import Seconds, acting, ended, start, told
from tests.support.hub import ScriptedDriver, live_hub, lock

CUT_IN_HALF: list[Exception] = [
    ActionError("nobody", "No \ud83d answered.", "See \udc00."),
    DriverError("server", "gone", "No \ud83d answered.", "See \udc00."),
]


@pytest.mark.parametrize("error", CUT_IN_HALF, ids=["action", "link"])
async def test_words_that_cannot_be_written_end_the_action_and_not_the_hub(tmp_path: Path, error: Exception) -> None:
    async def fail(_: Arguments, __: str | None, progress: Progress) -> ActionResult:
        progress.say("Reading \ud83d.")
        raise error

    async with acting(tmp_path, fail) as live:
        run = await start(live)
        await ended(run)
        assert run.failure is not None
        assert (run.failure.message, run.failure.remedy) == ("No ? answered.", "See ?.")
        assert [one.text for one in run.messages] == ["Reading ?."]
        assert (await told(live))[-1] == ("failed", "No ? answered.")


async def test_the_end_is_a_short_row_however_much_the_driver_says(tmp_path: Path) -> None:
    endless = "x" * 1_000_000

    async def fail(*_: Any) -> ActionResult:
        raise ActionError("endless", endless, endless)

    async def end(*_: Any) -> ActionResult:
        return ActionResult(message=endless)

    driver = ScriptedDriver(lock("a"))
    driver.offer(fail, "fail")
    driver.offer(end, "end")
    async with live_hub(tmp_path / "hub.sqlite", driver) as live:
        for name in ("fail", "end"):
            run = await start(live, name)
            await ended(run)
            assert len((await told(live))[-1][1]) == LONGEST_MESSAGE
        failed, _ = live.hub.actions.runs.values()
        assert failed.failure is not None
        assert (len(failed.failure.message), len(failed.failure.remedy)) == (LONGEST_MESSAGE, LONGEST_MESSAGE)


async def test_a_defect_quotes_no_text_that_was_given_as_an_argument(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(arguments: Arguments, *_: Any) -> ActionResult:
        raise ValueError(f"cannot read {arguments}")

    async with acting(tmp_path, fail, arguments=Seconds) as live:
        await ended(await start(live, seconds=30, dsk="4711047110"))
        assert "4711047110" not in caplog.text
        assert "ValueError" in caplog.text
        await ended(await start(live, seconds=30))
        assert "cannot read Seconds(seconds=30" in caplog.text
