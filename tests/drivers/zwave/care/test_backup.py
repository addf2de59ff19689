"""The emulated stick's memory, by the real zwave-js-server."""

import asyncio
import base64
import re
import stat
from collections.abc import Mapping
from pathlib import Path

import pytest
from hubd_drivers.zwave.care import backup
from hubd_drivers.zwave.care.backup import KEPT_BACKUPS
from hubd_drivers.zwave.care.catalogue import Restore
from hubd_drivers.zwave.care.events import NvmProgress
from hubd_drivers.zwave.care.network import Network
from hubd_drivers.zwave.events import DriverRestarted
from hubd_drivers.zwave.failures import answer_lost

from hubd.driver import ActionError, ActionResult, Arguments, DriverError
from hubd.driver.contract import RecordingPort
from tests.drivers.zwave.conftest import SharedNetwork
from tests.drivers.zwave.fakes import FakeLink
from tests.drivers.zwave.person import Person, act, network_of, site


@pytest.mark.node
async def test_the_file_holds_what_the_stick_holds(care_network: SharedNetwork) -> None:
    async with site(care_network.url) as (driver, port):
        person = Person()
        result = await act(driver, "backup_stick", person)
        memory = await care_network.op("nvm")
        assert result.file is not None
        content, mode = await asyncio.to_thread(_read, result.file)
        assert content == base64.b64decode(memory["data"])
        assert mode == 0o600
        assert memory["radio"] is True, "the radio is on again"
        assert re.fullmatch(r"stick-7e570001-\d{8}T\d{6}Z\.nvm", str(result.facts["file"]))
        assert result.message.startswith("The stick is backed up: 3000 bytes in stick-7e570001-")
        assert person.shares[0] == 0.0
        assert max(person.shares) > 0.5
        older = [port.storage / f"stick-7e570001-2020010{day}T000000Z.nvm" for day in range(1, 7)]
        await asyncio.to_thread(lambda: [path.write_bytes(b"old") for path in older])
        await act(driver, "backup_stick")
        left = await asyncio.to_thread(lambda: sorted(path.name for path in port.storage.glob("*.nvm")))
        assert len(left) == KEPT_BACKUPS
        assert older[0].name not in left


NETWORK_KEY = "7be0c1f4a95d3826e1b0c7d49f6a5283"


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (f'{{"S0_Legacy": "{NETWORK_KEY}"}}', "kept in keys.json"),
        ("", "not kept: {path} does not hold keys"),
        (None, "not kept: {path}: No such file or directory"),
    ],
)
async def test_the_security_keys_are_kept_beside_the_memory(tmp_path: Path, keys: str | None, said: str) -> None:
    path = tmp_path / "zwave-keys.json"
    if keys is not None:
        await asyncio.to_thread(path.write_text, keys)
    link = FakeLink(backup_nvm_raw={"nvmData": base64.b64encode(b"memory").decode()})
    network = network_of(link, keys_file=str(path))
    result = await backup.backup(network, Arguments(), Person())
    assert result.facts["security_keys"] == said.format(path=path)
    assert NETWORK_KEY not in repr(result)
    copy = network.port.storage / "keys.json"
    if keys:
        assert await asyncio.to_thread(_read, copy) == (keys.encode(), 0o600)
    else:
        assert not await asyncio.to_thread(copy.exists)


@pytest.mark.node
async def test_a_backup_that_fits_no_stick_is_refused(care_network: SharedNetwork) -> None:
    async with site(care_network.url) as (driver, _):
        made = await act(driver, "backup_stick")
        before = await care_network.op("nvm")
        with pytest.raises(ActionError) as caught:
            await act(driver, "restore_stick", file=made.facts["file"])
        assert (caught.value.code, caught.value.message) == (
            "backup_unusable",
            "zwave-js does not know the format of this backup.",
        )
        assert await care_network.op("nvm") == before
        for name in ("../hub.id", "/etc/passwd", "stick-7e570001-20200101T000000Z.nvm"):
            with pytest.raises(ActionError) as caught:
                await act(driver, "restore_stick", file=name)
            assert caught.value.code == "backup_not_found"
            assert str(made.facts["file"]) in caught.value.message


@pytest.mark.node
async def test_a_stick_whose_memory_cannot_be_read(care_network: SharedNetwork) -> None:
    await care_network.op("nvm_fault")
    try:
        async with site(care_network.url) as (driver, port):
            with pytest.raises(ActionError):
                await act(driver, "backup_stick")
            assert await asyncio.to_thread(lambda: list(port.storage.glob("*.nvm*"))) == []
            assert (await care_network.op("nvm"))["radio"] is True
    finally:
        await care_network.op("nvm_fault", on=False)


def _read(path: Path) -> tuple[bytes, int]:
    return path.read_bytes(), stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("data", [None, 5, "", "not base64!", "A" * 8_000_000])
async def test_a_memory_that_is_none_is_not_kept(data: object) -> None:
    port = RecordingPort()
    with pytest.raises(ActionError) as caught:
        await backup.backup(network_of(FakeLink(backup_nvm_raw={"nvmData": data}), port), Arguments(), Person())
    assert caught.value.code == "backup_empty"
    assert await asyncio.to_thread(lambda: list(port.storage.iterdir())) == []


class Restarting(FakeLink):
    """A server that writes the backup, then restarts its stick with or without an answer."""

    def __init__(self, *events: NvmProgress | DriverRestarted, is_answered: bool) -> None:
        super().__init__()
        self.events = events
        self.is_answered = is_answered
        self.network: Network

    async def command(self, name: str, /, **arguments: object) -> Mapping[str, object]:
        assert name == "controller.restore_nvm"
        assert arguments == {"nvmData": base64.b64encode(b"memory").decode()}
        for event in self.events:
            self.network.note(event)
        await asyncio.sleep(0.01)
        if not self.is_answered:
            raise answer_lost()
        return {}


async def restored(link: Restarting) -> ActionResult:
    name, port = "stick-7e570001-20200101T000000Z.nvm", RecordingPort()
    await asyncio.to_thread(lambda: (port.storage / name).write_bytes(b"memory"))
    link.network = network_of(link, port)
    return await backup.restore(link.network, Restore(file=name), Person())


@pytest.mark.parametrize("is_answered", [True, False])
async def test_a_restored_stick_is_restarted_which_may_end_the_link(is_answered: object) -> None:
    result = await restored(Restarting(NvmProgress(0.5), DriverRestarted(), is_answered=bool(is_answered)))
    assert result.message.endswith(".nvm is on the stick; zwave-js restarts it and reads everything anew.")


async def test_a_link_that_is_lost_while_a_backup_is_written_is_no_success() -> None:
    with pytest.raises(DriverError) as caught:
        await restored(Restarting(NvmProgress(0.5), is_answered=False))
    assert caught.value.code == "server_lost"
