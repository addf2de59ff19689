"""The suite tells a good driver from a bad one: each check is run on a driver that breaks its rule."""

import asyncio
import dataclasses
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from msgspec.structs import replace

from hubd.driver import CheckPort, DriverConfig, DriverError, Finding, Port
from hubd.driver.contract import ContractSite, DriverContract, RecordingPort, check_description, check_outcome, running
from hubd.model import (
    BatterySeen,
    Capabilities,
    Command,
    DeviceDescription,
    HubError,
    LockSeen,
    Outcome,
    OutcomeKind,
    ReachabilitySeen,
    SetPointRange,
    rejected,
)
from tests.hubd.driver.good import WHOLE, Good, site
from tests.support.hub import lock, thermostat

CHECKS = [name for name in dir(DriverContract) if name.startswith("test_")]


@pytest.mark.parametrize("check", CHECKS)
async def test_a_good_driver_passes(check: str) -> None:
    driver = Good()
    driver.asleep = {"v"} if "sleeping" in check else set()
    await getattr(DriverContract(), check)(site(driver))


class Silent(Good):
    async def run(self, port: Port) -> None:
        port.ready()
        await asyncio.Event().wait()


class Placeholder(Good):
    async def run(self, port: Port) -> None:
        await port.found(replace(lock("a"), name=" "))
        await super().run(port)


class Stranger(Good):
    async def run(self, port: Port) -> None:
        await port.publish(LockSeen(native_id="nobody", locked=True))
        await super().run(port)


class Unsound(Good):
    async def run(self, port: Port) -> None:
        await port.found(lock("a"), BatterySeen(native_id="a", level=float("nan")))


class NeverReady(Good):
    async def run(self, port: Port) -> None:
        await port.found(lock("a"))
        await asyncio.Event().wait()


class Forgetful(Good):
    count = 0

    def __init__(self) -> None:
        super().__init__()
        Forgetful.count += 1
        self.native_ids = [f"node-{Forgetful.count}"]


class OnceOnly(Good):
    async def run(self, port: Port) -> None:
        if hasattr(self, "lived"):
            raise RuntimeError("a second life")
        self.lived = True
        await super().run(port)


class Liar(Good):
    async def execute(self, command: Command) -> Outcome:
        outcome = await super().execute(command)
        return replace(outcome, seen=()) if outcome.kind is OutcomeKind.DONE else outcome


class Raises(Good):
    async def execute(self, command: Command) -> Outcome:
        if command.native_id == "no-such-device":
            raise KeyError(command.native_id)
        return await super().execute(command)


class Waits(Good):
    async def execute(self, command: Command) -> Outcome:
        if not self.is_up:
            await asyncio.sleep(5)
        return await super().execute(command)


class Quits(Good):
    async def run(self, port: Port) -> None:
        try:
            await super().run(port)
        except DriverError:
            return


class Elsewhere(Good):
    async def run(self, port: Port) -> None:
        try:
            await super().run(port)
        except DriverError:
            raise DriverError("the moon", "gone", "It is gone.") from None


@pytest.mark.parametrize(
    ("check", "bad", "error"),
    [
        ("test_announces_whole_devices", Silent, AssertionError),
        ("test_announces_whole_devices", Placeholder, AssertionError),
        ("test_announces_whole_devices", Stranger, AssertionError),
        ("test_announces_whole_devices", Unsound, TypeError),
        ("test_announces_whole_devices", NeverReady, AssertionError),
        ("test_same_devices_after_restart", Forgetful, AssertionError),
        ("test_driver_is_reusable", OnceOnly, RuntimeError),
        ("test_locks_and_unlocks", Liar, AssertionError),
        ("test_unknown_device", Raises, KeyError),
        ("test_link_down_is_said_at_once", Waits, TimeoutError),
        ("test_link_lost_is_raised", Quits, AssertionError),
        ("test_link_lost_is_raised", Elsewhere, AssertionError),
    ],
)
async def test_a_bad_driver_fails(check: str, bad: type[Good], error: type[Exception]) -> None:
    with pytest.raises(error):
        await getattr(DriverContract(), check)(site(bad(), make=bad if bad is Forgetful else None))


async def test_a_driver_that_does_not_stop_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    free = asyncio.Event()

    class Stubborn(Good):
        async def run(self, port: Port) -> None:
            port.ready()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                await free.wait()

    wait = asyncio.wait

    async def impatient(tasks: Any, timeout: float | None = None, **options: Any) -> Any:  # noqa: ASYNC109 - its own name
        return await wait(tasks, timeout=None if timeout is None else min(timeout, 0.05), **options)

    monkeypatch.setattr(asyncio, "wait", impatient)
    with pytest.raises(AssertionError, match="did not stop"):
        async with running(Stubborn(), RecordingPort()) as task:
            pass
    free.set()
    await wait({task})


async def test_a_driver_without_a_link_may_only_be_a_simulator() -> None:
    real = site(Good())
    real.break_link = None
    with pytest.raises(AssertionError, match="without break_link"):
        await DriverContract().test_link_lost_is_raised(real)
    real.manifest = replace(real.manifest, is_simulator=True)
    await DriverContract().test_link_lost_is_raised(real)


@pytest.mark.parametrize(
    "changes",
    [{"native_id": ""}, {"name": ""}, {"device_type": "yale lock"}, {"capabilities": thermostat("x").capabilities}],
)
def test_a_description_with_a_gap(changes: dict[str, Any]) -> None:
    check_description(lock("a"))
    check_description(thermostat("a"))
    check_description(DeviceDescription("a", "other", "zwave_other", "Sensor"))
    with pytest.raises(AssertionError):
        check_description(replace(lock("a"), **changes))
    with pytest.raises(AssertionError):
        check_description(replace(thermostat("a"), capabilities=lock("a").capabilities))


@pytest.mark.parametrize(
    "changes",
    [{"step": 0.0}, {"heating": SetPointRange(30.0, 5.0)}, {"min_delta_celsius": -1.0}, {"fan_modes": ("on", "on")}],
)
def test_a_thermostat_that_cannot_be(changes: dict[str, Any]) -> None:
    abilities = replace(WHOLE, **changes)
    check_description(replace(thermostat("a"), capabilities=Capabilities(thermostat=WHOLE)))
    with pytest.raises(AssertionError):
        check_description(replace(thermostat("a"), capabilities=Capabilities(thermostat=abilities)))


@pytest.mark.parametrize(
    "outcome",
    [
        rejected("no code", "It failed."),
        rejected("failed", "it failed"),
        rejected("failed", ""),
        rejected("failed", "Unknown error occurred."),
    ],
)
def test_an_outcome_that_helps_nobody(outcome: Outcome) -> None:
    with pytest.raises(AssertionError):
        check_outcome(outcome)


def checked(*findings: Finding) -> ContractSite:
    async def doctor(_: DriverConfig, __: CheckPort) -> AsyncGenerator[Finding]:
        for finding in findings:
            yield finding

    whole = site(Good())
    return dataclasses.replace(whole, manifest=replace(whole.manifest, doctor=doctor))


PORT = Finding("server", "Port", "ok", "It answers.")


async def test_good_checks_pass() -> None:
    warned = Finding("server", "TLS", "warning", "It ends soon.", "tls_expires_soon", "Renew it.")
    await DriverContract().test_the_checks_pass_on_a_working_site(checked(PORT, warned))


@pytest.mark.parametrize(
    ("findings", "words"),
    [
        ((), "checks nothing"),
        ((PORT, PORT), "the same title"),
        ((replace(PORT, verdict="failed"),), "Port: It answers."),
        ((replace(PORT, hop="moon"),), "hop 'moon' is not in the manifest"),
        ((replace(PORT, evidence="fine"),), "is not a sentence"),
    ],
)
async def test_bad_checks_are_found(findings: tuple[Finding, ...], words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        await DriverContract().test_the_checks_pass_on_a_working_site(checked(*findings))


async def test_the_port_keeps_what_it_is_told() -> None:
    port = RecordingPort()
    assert port.reveal(port.seal("1234")) == "1234"
    with pytest.raises(KeyError):
        port.reveal("pin-9")
    error = DriverError("server", "gone", "It is gone.")
    port.hop_lost(error)
    assert port.lost_hops == {"server": error}
    port.hop_back("server")
    assert port.lost_hops == {}
    waiting = asyncio.create_task(port.wait_for(lambda seen: isinstance(seen, LockSeen), 5))
    await asyncio.sleep(0)
    await port.removed("a", "excluded")
    await port.publish(LockSeen(native_id="a", locked=True), LockSeen(native_id="a", locked=False))
    assert await waiting == LockSeen(native_id="a", locked=True)
    assert (port.position("a"), port.position("b"), port.gone) == (False, None, {"a": "excluded"})
    with pytest.raises(TimeoutError):
        await port.wait_for(lambda _: False, 0.01)
    assert port.answers("a")
    await port.publish(ReachabilitySeen(native_id="a", online=True), ReachabilitySeen(native_id="b", online=False))
    assert (port.answers("a"), port.answers("b")) == (True, False)


def test_what_the_port_wraps_is_for_the_same_instance_alone() -> None:
    port = RecordingPort("front")
    wrapped = port.wrap(b"key of the lock")
    assert b"key" not in wrapped
    assert wrapped != port.wrap(b"key of the lock")
    assert RecordingPort("front").unwrap(wrapped) == b"key of the lock"
    assert port.unwrap(port.wrap(b"")) == b""
    for port_, data in ((RecordingPort("back"), wrapped), (port, wrapped[:-1] + b"?"), (port, b"")):
        with pytest.raises(HubError) as caught:
            port_.unwrap(data)
        assert caught.value.code == "secret_unreadable"
