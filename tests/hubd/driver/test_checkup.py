import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import pytest

from hubd.driver import CheckPort, Doctor, DriverConfig, DriverError, Finding, Manifest
from hubd.driver.checkup import examine, summary
from tests.support.clock import ManualClock

GOOD = Finding("server", "Port", "ok", "It answers.")
WARNED = Finding("server", "TLS", "warning", "It ends soon.", "tls_expires_soon", "Renew it.")
FAILED = Finding("controller", "Stick", "failed", "It is gone.", "controller_lost", "Plug it in.")


def manifest(doctor: Doctor | None) -> Manifest:
    hops = ("server", "controller")
    return Manifest(type="t", title="T", config=DriverConfig, create=lambda _: None, hops=hops, doctor=doctor)  # type: ignore[arg-type,return-value]


async def found(doctor: Any, clock: ManualClock | None = None, seconds: float = 10.0) -> list[Finding]:
    port = CheckPort("front", clock or ManualClock())
    async with aclosing(examine(manifest(doctor), DriverConfig(), port, seconds)) as findings:
        return [finding async for finding in findings]


async def test_findings_come_as_they_are_made() -> None:
    given: list[tuple[DriverConfig, CheckPort]] = []
    go = asyncio.Event()

    async def doctor(config: DriverConfig, port: CheckPort) -> AsyncGenerator[Finding]:
        given.append((config, port))
        yield GOOD
        await go.wait()
        yield FAILED

    port = CheckPort("front", ManualClock())
    config = DriverConfig()
    async with aclosing(examine(manifest(doctor), config, port)) as findings:
        assert await anext(findings) == GOOD
        go.set()
        assert [one async for one in findings] == [FAILED]
    assert given == [(config, port)]


async def test_a_driver_without_checks_finds_nothing() -> None:
    assert await found(None) == []


async def test_a_check_that_breaks_is_a_defect_of_the_driver(caplog: pytest.LogCaptureFixture) -> None:
    async def doctor(_: DriverConfig, __: CheckPort) -> AsyncGenerator[Finding]:
        yield GOOD
        raise KeyError("secret")

    first, broken = await found(doctor)
    assert first == GOOD
    assert (broken.verdict, broken.code, broken.hop) == ("failed", "driver_defect", "server")
    assert "(KeyError)" in broken.evidence
    assert "secret" not in broken.evidence
    assert [record.exc_info is not None for record in caplog.records] == [True]


@pytest.mark.parametrize("odd", [None, "fine", Finding("server", "Port", "fine", "It is so.")])  # type: ignore[arg-type]
async def test_what_is_no_finding_is_a_defect_too(odd: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def doctor(_: DriverConfig, __: CheckPort) -> AsyncGenerator[Any]:
        yield odd

    with caplog.at_level(logging.CRITICAL):
        findings = await found(doctor)
    assert [one.code for one in findings] == ([] if odd is None else ["driver_defect"])


async def test_a_check_that_is_no_generator_is_a_defect(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.CRITICAL):
        (finding,) = await found(lambda _, __: 7)
    assert finding.code == "driver_defect"


async def test_a_time_out_of_the_driver_s_own_is_a_defect(caplog: pytest.LogCaptureFixture) -> None:
    async def doctor(_: DriverConfig, __: CheckPort) -> AsyncGenerator[Finding]:
        yield GOOD
        raise TimeoutError

    with caplog.at_level(logging.CRITICAL):
        assert [one.code for one in await found(doctor)] == ["", "driver_defect"]


async def test_a_cancellation_from_inside_is_a_defect(caplog: pytest.LogCaptureFixture) -> None:
    async def doctor(_: DriverConfig, __: CheckPort) -> AsyncGenerator[Finding]:
        yield GOOD
        raise asyncio.CancelledError

    with caplog.at_level(logging.CRITICAL):
        assert [one.code for one in await found(doctor)] == ["", "driver_defect"]


async def test_a_lost_link_is_a_failed_check() -> None:
    async def doctor(_: DriverConfig, __: CheckPort) -> AsyncGenerator[Finding]:
        yield GOOD
        raise DriverError("controller", "gone", "It is gone.", "Plug it in.")

    assert (await found(doctor))[1] == Finding(
        "controller", "Connection", "failed", "It is gone.", "gone", "Plug it in."
    )


async def test_checks_that_take_too_long_are_given_up() -> None:
    closed = []

    async def doctor(_: DriverConfig, __: CheckPort) -> AsyncGenerator[Finding]:
        yield GOOD
        try:
            await asyncio.Event().wait()
        finally:
            closed.append(True)

    clock = ManualClock()
    task = asyncio.create_task(found(doctor, clock, 10.0))
    await clock.advance(9.0)
    assert not task.done()
    await clock.advance(2.0)
    first, late = await asyncio.wait_for(task, 5)
    assert (first, late.verdict, late.code) == (GOOD, "failed", "checks_timeout")
    assert "10 s" in late.evidence
    assert closed == [True]


async def test_giving_up_closes_the_checks() -> None:
    closed = []

    async def doctor(_: DriverConfig, __: CheckPort) -> AsyncGenerator[Finding]:
        try:
            await asyncio.Event().wait()
            yield GOOD
        finally:
            closed.append(True)

    task = asyncio.create_task(found(doctor))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert closed == [True]


@pytest.mark.parametrize(
    ("findings", "words"),
    [
        ([], "There is nothing to check."),
        ([GOOD], "The check passed."),
        ([GOOD, GOOD], "All 2 checks passed."),
        ([GOOD, WARNED], "All 2 checks passed, 1 with a warning: TLS: It ends soon."),
        ([FAILED], "1 of 1 check failed: Stick: It is gone."),
        ([GOOD, FAILED, WARNED, FAILED], "2 of 4 checks failed: Stick: It is gone."),
    ],
)
def test_the_end_in_a_sentence(findings: list[Finding], words: str) -> None:
    assert summary(findings) == words
