"""The driver by the contract of all drivers, over both transports."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hubd_drivers.salto_space import MANIFEST
from hubd_drivers.salto_space.driver import NO_LINK, SaltoSpaceDriver
from hubd_drivers.salto_space.sim import Http, Quirks, Space, Stp, Trouble, demo_site
from hubd_drivers.salto_space.sim.mischief import GARBLES

from hubd.driver import ActionError, Arguments, DriverError
from hubd.driver.contract import ContractSite, DriverContract, RecordingPort, running
from hubd.model import AcsGone, AcsUser, CreateUser, EditAccess, OutcomeKind
from tests.drivers.salto_space.linked import config_for
from tests.drivers.salto_space.living import QUICK, living
from tests.drivers.salto_space.wire import closed_port

NOTHING = Arguments()


class Silent:
    """A progress that nobody looks at."""

    def say(self, message: str, *, seconds: float | None = None, share: float | None = None) -> None:
        raise AssertionError((message, seconds, share))

    async def ask(self, question: object) -> str:
        raise AssertionError(question)


class TestOverStp(DriverContract):
    @pytest.fixture
    async def site(self) -> AsyncIterator[ContractSite]:
        async with Space(demo_site(), transport=Stp()) as space:
            config = await config_for(space.port, Stp(), **QUICK)
            yield ContractSite(MANIFEST, config, break_link=space.stop)
            assert not space.disasters


class TestOverHttp(DriverContract):
    @pytest.fixture
    async def site(self) -> AsyncIterator[ContractSite]:
        async with Space(demo_site(), transport=Http()) as space:
            config = await config_for(space.port, Http(), **QUICK)
            yield ContractSite(MANIFEST, config, break_link=space.stop)
            assert not space.disasters


async def test_a_server_that_is_not_there() -> None:
    driver = SaltoSpaceDriver(await config_for(await closed_port(), Stp(), **QUICK))
    with pytest.raises(DriverError) as raised:
        await driver.run(RecordingPort())
    assert (raised.value.hop, raised.value.code) == ("server", "connection_refused")
    assert "SHIP" in raised.value.remedy
    wish = EditAccess(change=CreateUser(subject="u", user=AcsUser("u", "Ana")))
    outcome = await driver.execute(wish)
    assert (outcome.kind, outcome.code) == (OutcomeKind.UNREACHABLE, NO_LINK)
    with pytest.raises(DriverError, match="no connection"):
        await driver.act("start_office_mode", NOTHING, "d", Silent())


@pytest.mark.parametrize("quirks", [Quirks(licence="none"), Quirks(licence="info_only")])
async def test_a_licence_that_is_missing(quirks: Quirks) -> None:
    async with Space(demo_site(), transport=Stp(), quirks=quirks) as space:
        driver = SaltoSpaceDriver(await config_for(space.port, Stp(), **QUICK))
        with pytest.raises(DriverError) as raised:
            await driver.run(RecordingPort())
    assert raised.value.code == "licence_missing"
    assert "SPACE-OPT-0018" in raised.value.remedy


async def test_a_server_that_hangs_is_lost() -> None:
    async with living(timeout=0.3) as h:
        h.space.hang = True
        await asyncio.wait({h.task}, timeout=5)
        error = h.task.exception()
        assert isinstance(error, DriverError)
        h.space.hang = False


async def test_office_mode_by_action() -> None:
    async with living() as h:
        garage = h.space.site.door_id("Garage")
        result = await h.driver.act("start_office_mode", NOTHING, garage, Silent())
        assert result.message == "Office mode was started."
        assert h.space.site.locks[garage].is_office
        with pytest.raises(ActionError, match="no action"):
            await h.driver.act("paint", NOTHING, garage, Silent())


async def test_a_life_leaves_no_connection_open() -> None:
    async with Space(demo_site(), transport=Stp()) as space:
        driver = SaltoSpaceDriver(await config_for(space.port, Stp(), **QUICK))
        for _ in range(3):
            async with running(driver, RecordingPort()):
                assert space.open_connections
            async with asyncio.timeout(5):
                while space.open_connections:  # noqa: ASYNC110 - a server has no event for it
                    await asyncio.sleep(0.01)


async def test_a_defect_of_the_hub_s_store_ends_the_life_as_what_it_is() -> None:
    class Full(RecordingPort):
        async def note(self, *noted: object, bookmark: str | None = None) -> None:
            raise OSError(28, f"No space left on device ({len(noted)}, {bookmark})")

    async with Space(demo_site(), transport=Stp()) as space:
        driver = SaltoSpaceDriver(await config_for(space.port, Stp(), **QUICK))
        with pytest.raises(OSError, match="No space"):
            await driver.run(Full())


READS = (
    "GetInfo",
    "SaltoDBAuditTrail.Read",
    "OnlineDoor.GetOnlineStatusList",
    "SaltoDBDoorList.Read",
    "SaltoDBLockerList.Read",
    "SaltoDBZoneList.Read",
    "SaltoDBGroupList.Read",
    "SaltoDBUserList.Read",
)


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("how", sorted(GARBLES, key=str), ids=str)
async def test_a_spoilt_answer_ends_the_life_as_what_it_is_and_tells_nothing_wrong(name: str, how: Trouble) -> None:
    hasty = {"timeout": 0.3} if how is Trouble.LENGTH else {}
    async with Space(demo_site(), transport=Stp()) as space:
        port = RecordingPort()
        space.faults.garble(name, how, 99)
        driver = SaltoSpaceDriver(await config_for(space.port, Stp(), **(QUICK | hasty)))
        with pytest.raises(DriverError) as raised:
            async with asyncio.timeout(20):
                await driver.run(port)
        assert raised.value.hop == "server"
        assert not [one for one in port.noted if isinstance(one, AcsGone)]
        assert not port.scans or name not in {"SaltoDBDoorList.Read", "SaltoDBLockerList.Read"}
        space.faults.clear()
        async with running(SaltoSpaceDriver(await config_for(space.port, Stp(), **QUICK)), port):
            assert len(port.devices) == len(list(space.site.places())) + 1


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("code", [1, 4, 7, 12, 13, 500, 502, 9999])
async def test_a_refusal_ends_the_life_or_leaves_out_what_can_be_left_out(name: str, code: int) -> None:
    async with Space(demo_site(), transport=Stp()) as space:
        driver, port = SaltoSpaceDriver(await config_for(space.port, Stp(), **QUICK)), RecordingPort()
        space.faults.refuse(name, code, 999)
        errors: list[DriverError] = []
        try:
            async with running(driver, port):
                can_do_without = name == "SaltoDBLockerList.Read" or (name, code) == (
                    "OnlineDoor.GetOnlineStatusList",
                    502,
                )
                assert port.cautions or can_do_without
        except DriverError as error:
            errors.append(error)
        assert all(error.hop == "server" and error.remedy for error in errors)
        assert not [one for one in port.noted if isinstance(one, AcsGone)]
