"""S63, cards: written at a named encoder when somebody presents one; if not, the reason is plain; nothing waits."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hubd_drivers.salto_space.sim import Habit, Quirks

from tests.scenarios.client import settled, until
from tests.scenarios.space import NOTICED, TRANSPORTS, Premises, Transport, opened, premises
from tests.scenarios.space_sides import agree

pytestmark = pytest.mark.scenario

FIRST, SECOND = "Encoder#1", "Encoder#2"
ASSIGN, UPDATE = "Encoder.SaltoDBUser.AssignNewKey", "Encoder.SaltoDBUser.UpdateCurrentKey"
BARE = "Ayşe García 4"
"""A user without a key."""
HOLDER = "Ana García 0"
CARD = "04A1B2C3D4E580"


@pytest.fixture(params=list(TRANSPORTS))
def transport(request: pytest.FixtureRequest) -> Transport:
    """Each way to the server."""
    return TRANSPORTS[request.param]


async def credential(home: Premises, credential_id: str) -> dict[str, Any]:
    answer = await home.client.ok("/acs/credentials/get", {"acs_credential_id": credential_id})
    return dict(answer["acs_credential"])


async def written(home: Premises, credential_id: str, encoder: str = FIRST) -> dict[str, Any]:
    """Write a card and wait for the end."""
    attempt = await home.encode(credential_id, encoder)
    return await settled(home.client, attempt["action_attempt_id"], 30.0)


async def test_a_card_that_is_presented_is_written(transport: Transport, tmp_path: Path) -> None:
    async with premises(tmp_path, transport) as home:
        user_id = home.floor.user_id(BARE)
        card = await home.card_for(user_id)
        made = await credential(home, card)
        assert (made["is_issued"], made["issued_at"]) == (False, None)
        assert [one["warning_code"] for one in made["warnings"]] == ["waiting_to_be_issued"]

        encoding = asyncio.create_task(written(home, card))
        async with asyncio.timeout(NOTICED):
            await home.space.encoders[FIRST].waits.wait()
        # Somebody looks for their card. Nothing else waits for that: doors open, changes are made, the trail is read.
        assert (await home.unlock("Main entrance"))["status"] == "success"
        body = {"acs_user_id": await home.acs_user_id(HOLDER), "full_name": "Ana Meanwhile"}
        await home.client.ok("/acs/users/update", body)
        home.space.person.goes_out(home.floor.door_id("Pool"))
        await home.hears_all()
        await home.reads_on()
        assert not encoding.done()
        home.space.present_card(FIRST, CARD)
        attempt = await encoding

        assert (attempt["status"], attempt["action_type"]) == ("success", "ENCODE_CREDENTIAL")
        assert attempt["result"]["acs_credential_id"] == card
        found = await credential(home, card)
        assert (found["is_issued"], found["card_number"]) == (True, CARD)
        assert found["warnings"] == []
        assert home.floor.users[user_id]["CurrentROMCode"] == CARD
        (event,) = await home.events("acs_credential.issued")
        assert (event["acs_credential_id"], event["acs_user_id"]) == (card, found["acs_user_id"])
        await agree(home)
        assert home.space.counters.requests[ASSIGN] == 1
        assert opened(home.space, "Main entrance") == 1


async def test_the_present_rights_go_onto_the_card_that_the_user_has(tmp_path: Path) -> None:
    async with premises(tmp_path) as home:
        user_id = home.floor.user_id(HOLDER)
        rom = home.floor.users[user_id]["CurrentROMCode"]
        card = await home.card_for(user_id, is_new=False)
        home.space.present_card(FIRST, rom)
        assert (await written(home, card))["status"] == "success"
        assert home.space.counters.requests[UPDATE] == 1
        assert (await credential(home, card))["is_issued"] is True
        assert [one["acs_credential_id"] for one in await home.events("acs_credential.reissued")] == [card]
        error = await home.client.refused(
            "/acs/credentials/create",
            {
                "access_method": "card",
                "acs_user_id": (await home.user(user_id))["acs_user_id"],
                "salto_space_metadata": {"assign_new_key": True},
            },
        )
        assert error["type"] == "credential_exists"


async def test_nobody_presents_a_card(transport: Transport, tmp_path: Path) -> None:
    async with premises(tmp_path, transport) as home:
        home.space.encoders[FIRST].seconds = 0.5
        card = await home.card_for(home.floor.user_id(BARE))
        attempt = await written(home, card)
        assert (attempt["status"], attempt["error"]["type"]) == ("error", "no_credential_on_encoder")
        assert "No card was put on the encoder in time" in attempt["error"]["message"]
        assert (await credential(home, card))["is_issued"] is False
        assert home.space.counters.requests[ASSIGN] == 1
        home.space.encoders[FIRST].habit = Habit(0.1)
        assert (await written(home, card))["status"] == "success", "and it can be tried again"


async def test_a_busy_encoder_is_waited_for(tmp_path: Path) -> None:
    async with premises(tmp_path) as home:
        encoder = home.space.encoders[FIRST]
        away = asyncio.create_task(encoder.card(home.live.hub.clock))  # at Space's own screen somebody writes a card
        async with asyncio.timeout(NOTICED):
            await encoder.waits.wait()
        card = await home.card_for(home.floor.user_id(BARE))
        encoding = asyncio.create_task(written(home, card))
        await until(lambda: asyncio.sleep(0, home.space.counters.requests[ASSIGN] > 0), NOTICED)
        assert not encoding.done()
        encoder.present("04FFFFFFFFFF80")
        await away
        encoder.take_away()
        encoder.habit = Habit(0.1, CARD)
        attempt = await encoding
        assert attempt["status"] == "success"
        assert (await credential(home, card))["card_number"] == CARD


async def test_an_encoder_that_stays_busy_ends_as_that(tmp_path: Path) -> None:
    async with premises(tmp_path, encode_seconds=2.0) as home:
        encoder = home.space.encoders[FIRST]
        away = asyncio.create_task(encoder.card(home.live.hub.clock))
        async with asyncio.timeout(NOTICED):
            await encoder.waits.wait()
        attempt = await written(home, await home.card_for(home.floor.user_id(BARE)))
        assert attempt["status"] == "error"
        assert attempt["error"]["detail"]["code"] == "encoder_busy"
        assert "at work on another card" in attempt["error"]["message"]
        encoder.abort()
        await asyncio.wait({away})
        assert away.exception() is not None


@pytest.mark.parametrize("how", ["unknown", "off"])
async def test_an_encoder_that_is_not_there_says_which_and_what_to_do(how: str, tmp_path: Path) -> None:
    async with premises(tmp_path, encoders=[FIRST, SECOND, "Reception"]) as home:
        name = "Reception" if how == "unknown" else SECOND
        home.space.encoders[SECOND].is_online = how == "unknown"
        attempt = await written(home, await home.card_for(home.floor.user_id(BARE)), name)
        assert (attempt["status"], attempt["error"]["type"]) == ("error", "encoder_not_online")
        message = attempt["error"]["message"]
        assert name in message
        assert ("exactly as it stands in ProAccess Space" if how == "unknown" else "power and network") in message
        home.space.encoders[FIRST].habit = Habit(0.1)
        other = await written(home, await home.card_for(home.floor.user_id(BARE)))
        assert other["status"] == "success", "another encoder works"


@pytest.mark.parametrize("trouble", ["drop_reply", "drop_request"])
async def test_a_lost_reply_is_settled_by_the_users_record(trouble: str, transport: Transport, tmp_path: Path) -> None:
    async with premises(tmp_path, transport) as home:
        home.space.encoders[FIRST].habit = Habit(0.1, CARD)
        getattr(home.space.faults, trouble)(ASSIGN)
        user_id = home.floor.user_id(BARE)
        card = await home.card_for(user_id)
        attempt = await written(home, card)
        assert home.space.counters.requests[ASSIGN] == 1, "never sent twice"
        found = await credential(home, card)
        if trouble == "drop_reply":
            assert attempt["status"] == "success"
            assert (found["is_issued"], found["card_number"]) == (True, CARD)
        else:
            assert (attempt["status"], attempt["error"]["type"]) == ("error", "encoder_communication_timeout")
            assert found["is_issued"] is False
        await agree(home)


@pytest.mark.parametrize("reply", ["full", "empty"])
async def test_whatever_the_reply_holds_the_users_record_decides(reply: Any, tmp_path: Path) -> None:
    async with premises(tmp_path, quirks=Quirks(encoder_reply=reply)) as home:
        home.space.encoders[FIRST].habit = Habit(0.1, CARD)
        card = await home.card_for(home.floor.user_id(BARE))
        assert (await written(home, card))["status"] == "success"
        assert (await credential(home, card))["card_number"] == CARD


async def test_a_card_of_somebody_else_is_refused(tmp_path: Path) -> None:
    async with premises(tmp_path) as home:
        home.space.present_card(FIRST, home.floor.users[home.floor.user_id(HOLDER)]["CurrentROMCode"])
        card = await home.card_for(home.floor.user_id(BARE))
        attempt = await written(home, card)
        assert attempt["status"] == "error"
        assert "belongs to another user" in attempt["error"]["message"]
        assert (await credential(home, card))["is_issued"] is False
        await agree(home)


async def test_a_card_that_the_operator_gives_or_cancels_in_space_is_followed(tmp_path: Path) -> None:
    async with premises(tmp_path) as home:
        user_id = home.floor.user_id(BARE)
        card = await home.card_for(user_id)
        home.space.operator.give_key(user_id, CARD)

        async def is_issued() -> bool:
            return bool((await credential(home, card))["is_issued"])

        await home.sees(is_issued)
        home.space.operator.cancel_key(user_id)

        async def is_gone() -> bool:
            return (await home.client.call("/acs/credentials/get", {"acs_credential_id": card})).status == 404

        await home.sees(is_gone)
        fates = await home.events("acs_credential.issued", "acs_credential.deleted")
        assert [one["event_type"] for one in fates if one["acs_credential_id"] == card] == [
            "acs_credential.issued",
            "acs_credential.deleted",
        ]
