import asyncio
import logging
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from hubd.core.check import ACTION, checker
from hubd.core.hub import Instance
from hubd.core.policy import Policy
from hubd.driver import CheckPort, DriverConfig, Finding
from hubd.model.errors import NotFoundError
from tests.support.clock import ManualClock
from tests.support.hub import LiveHub, ScriptedDriver, live_hub, lost, until

GOOD = Finding("server", "Port", "ok", "It answers.")
FAILED = Finding("controller", "Stick", "failed", "It is gone.", "controller_lost", "Plug it in.")


async def doctor(_: DriverConfig, port: CheckPort) -> AsyncGenerator[Finding]:
    assert port.instance == "side"
    yield GOOD
    yield FAILED


def add(live: LiveHub, driver: ScriptedDriver, doctor: Any = doctor, *, config: DriverConfig | None = None) -> None:
    live.hub.add(Instance("side", driver.manifest(doctor=doctor), driver, Policy(("lock",)), config))


async def test_a_driver_with_checks_has_the_action(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    driver = ScriptedDriver()
    async with live_hub(tmp_path / "hub.sqlite", ScriptedDriver()) as live:
        add(live, driver, config=DriverConfig())
        assert [one.name for one in live.hub.actions.catalogue("side")] == ["check"]
        assert live.hub.actions.find("side", "check") is ACTION
        with caplog.at_level(logging.WARNING):
            run = await live.hub.actions.start("side", "check", {}, "k1")
            await until(lambda: run.is_over)
        result = run.result
        assert result is not None
        assert (run.state, result.message, result.has_faults) == (
            "done",
            "1 of 2 checks failed: Stick: It is gone.",
            True,
        )
        assert result.table[1] == {
            "hop": "controller",
            "check": "Stick",
            "verdict": "failed",
            "evidence": "It is gone.",
            "remedy": "Plug it in.",
            "code": "controller_lost",
        }
        assert [one.text for one in run.messages] == ["Port: ok. It answers.", "Stick: failed. It is gone."]
        assert "check of side, Stick: It is gone. (controller_lost)" in caplog.text
        assert await live.rows("action.started", "action.ended") == []


async def test_it_is_made_while_the_link_is_down(tmp_path: Path) -> None:
    async def well(_: DriverConfig, __: CheckPort) -> AsyncGenerator[Finding]:
        yield GOOD

    driver = ScriptedDriver()
    async with live_hub(tmp_path / "hub.sqlite", ScriptedDriver()) as live:
        add(live, driver, well, config=DriverConfig())
        await until(lambda: live.hub.health["side"].is_connected)
        driver.end(lost())
        await until(lambda: not live.hub.health["side"].is_connected)
        run = await live.hub.actions.start("side", "check", {}, "k1")
        await until(lambda: run.is_over)
        assert run.result is not None
        assert (run.result.message, run.result.has_faults) == ("The check passed.", False)


async def test_it_stands_before_the_driver_s_own_and_is_cancelled_like_them(tmp_path: Path) -> None:
    closed = []

    async def endless(_: DriverConfig, __: CheckPort) -> AsyncGenerator[Finding]:
        try:
            yield GOOD
            await asyncio.Event().wait()
        finally:
            closed.append(True)

    async def act(*_: object) -> Any:
        raise AssertionError

    driver = ScriptedDriver()
    driver.offer(act)
    async with live_hub(tmp_path / "hub.sqlite", ScriptedDriver()) as live:
        add(live, driver, endless, config=DriverConfig())
        assert [one.name for one in live.hub.actions.catalogue("side")] == ["check", "include"]
        run = await live.hub.actions.start("side", "check", {}, "k1")
        await until(lambda: bool(run.messages))
        live.hub.actions.cancel(run.run_id)
        await until(lambda: not run.is_engaged)
        assert (run.state, closed) == ("cancelled", [True])


async def test_a_driver_without_checks_has_no_such_action(tmp_path: Path) -> None:
    assert checker("side", ScriptedDriver().manifest(), DriverConfig(), ManualClock()) is None
    async with live_hub(tmp_path / "hub.sqlite", ScriptedDriver()) as live:
        add(live, ScriptedDriver(), None, config=DriverConfig())
        assert live.hub.actions.catalogue("side") == ()
        with pytest.raises(NotFoundError, match="has no action 'check'; it has: none"):
            await live.hub.actions.start("side", "check", {}, "k1")
