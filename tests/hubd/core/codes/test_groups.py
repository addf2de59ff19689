"""One PIN on several locks: chosen so that all take it, made at once or not at all, and found again."""

from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from hubd.core.codes.desk import Codes
from hubd.core.codes.wishes import Change, Wish
from hubd.model.capability import Capabilities, KeypadCapability
from hubd.model.device import DeviceDescription
from hubd.model.errors import InvalidInputError, NotFoundError, RefusedError
from hubd.store.codes import CodeRecord
from tests.hubd.api.harness import Api, running_api

PIN = "428613"


@pytest_asyncio.fixture
async def api(tmp_path: Any) -> Any:
    async with running_api(tmp_path / "data") as running:
        yield running


async def lock(api: Api, name: str, **keypad: Any) -> str:
    """Add a lock with a keypad."""
    capabilities = Capabilities(keypad=KeypadCapability(slots=5, **keypad))
    return await api.hub.found(
        "site", DeviceDescription(name, "lock", "virtual_lock", name, capabilities=capabilities), ()
    )


def wishes(*device_ids: str, **members: Any) -> list[Wish]:
    return [Wish(device_id=device_id, **members) for device_id in device_ids]


async def make(codes: Codes, made: list[Wish], *, may_differ: bool = False) -> list[CodeRecord]:
    return await codes.create_group(made, "me", may_differ=may_differ)


async def test_the_pin_keeps_to_every_locks_rules(api: Api) -> None:
    ids = [
        await lock(api, "a", lengths=(4, 6), rules=("no_zeros",)),
        await lock(api, "b", lengths=(6, 8), rules=("cannot_contain_0789",)),
    ]
    for number in range(5):
        made = await make(api.hub.codes, wishes(*ids, name=str(number)))
        (pin,) = {api.hub.codes.pin(code) for code in made}
        assert pin is not None
        assert len(pin) == 6
        assert not set(pin) & set("0789")
        assert [code.is_pin_chosen for code in made] == [False, False]


async def test_without_a_common_length_nothing_is_made(api: Api) -> None:
    ids = [await lock(api, "a", lengths=(4,)), await lock(api, "b", lengths=(6,))]
    with pytest.raises(RefusedError) as caught:
        await make(api.hub.codes, wishes(*ids))
    assert caught.value.code == "code_cannot_be_shared"
    assert api.hub.journal.tables.codes == {}
    made = await make(api.hub.codes, wishes(*ids), may_differ=True)
    assert [len(api.hub.codes.pin(code) or "") for code in made] == [4, 6]
    assert made[0].common_code_key == made[1].common_code_key


async def test_a_chosen_pin_that_one_lock_refuses(api: Api) -> None:
    ids = [await lock(api, "a"), await lock(api, "b", rules=("cannot_contain_089",))]
    with pytest.raises(InvalidInputError) as caught:
        await make(api.hub.codes, wishes(*ids, pin=PIN))
    assert "“b” cannot have it" in caught.value.message
    assert PIN not in caught.value.message
    made = await make(api.hub.codes, wishes(*ids, pin=PIN), may_differ=True)
    assert [code.is_pin_chosen for code in made] == [True, False]
    again = await make(api.hub.codes, wishes(*ids, pin=PIN), may_differ=True)
    assert again == made


async def test_errors_that_another_pin_does_not_mend(api: Api) -> None:
    first = await lock(api, "a")
    now = api.clock.now()
    for wrong in (
        {"starts_at": now, "ends_at": now - timedelta(hours=1)},
        {"is_one_time": True},
    ):
        with pytest.raises((InvalidInputError, RefusedError)):
            await make(api.hub.codes, wishes(first, **wrong), may_differ=True)
    with pytest.raises(InvalidInputError):
        await make(api.hub.codes, wishes(first, first))
    assert api.hub.journal.tables.codes == {}


async def test_the_same_wishes_in_any_state_of_the_locks(api: Api) -> None:
    ids = [await lock(api, "a"), await lock(api, "b")]
    made = await make(api.hub.codes, wishes(*ids, name="Anna"))
    assert await make(api.hub.codes, wishes(*ids, name="Anna")) == made
    assert await make(api.hub.codes, wishes(*reversed(ids), name="Anna")) == made[::-1]
    assert await make(api.hub.codes, wishes(ids[0], name="Anna")) != made[:1]
    assert await make(api.hub.codes, wishes(*ids, name="Anna", prefers_native=False)) != made
    await api.hub.codes.update(made[0].code_id, Change(name="Ben"), "me")
    other = await make(api.hub.codes, wishes(*ids, name="Anna"))
    assert not {code.code_id for code in other} & {code.code_id for code in made}


async def test_changing_all_or_none(api: Api) -> None:
    ids = [await lock(api, "a"), await lock(api, "b")]
    made = await make(api.hub.codes, wishes(*ids, name="Anna"))
    key = made[0].common_code_key or ""
    found = await api.hub.codes.update_group(key, Change(name="Ben"), "me")
    assert [code.name for code in found] == ["Ben", "Ben"]
    with pytest.raises(InvalidInputError):
        await api.hub.codes.update_group(key, Change(name="Cleo", ends_at=api.clock.now()), "me")
    assert {code.name for code in api.hub.journal.tables.codes.values()} == {"Ben"}
    with pytest.raises(NotFoundError):
        await api.hub.codes.update_group("nobody", Change(), "me")
