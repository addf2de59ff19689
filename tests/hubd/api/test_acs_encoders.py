import asyncio
from pathlib import Path
from typing import Any

import pytest

from hubd.model import CreateUser, EncodeCredential, rejected, sent_unconfirmed
from tests.hubd.api.access import Acs, running_acs
from tests.support import access
from tests.support.site import eventually

NOBODY = "33333333-3333-4333-8333-333333333333"


async def card(acs: Acs, native_id: str = "user-bob") -> str:
    body = {"access_method": "card", "acs_user_id": acs.user_id(native_id)}
    made = (await acs.api.ok("/acs/credentials/create", body))["acs_credential"]
    return str(made["acs_credential_id"])


async def encode(acs: Acs, credential_id: str, **options: Any) -> dict[str, Any]:
    body = {"acs_encoder_id": acs.device_id("encoder-1"), "acs_credential_id": credential_id}
    found: dict[str, Any] = (await acs.api.ok("/acs/encoders/encode_credential", body, **options))["action_attempt"]
    return found


async def test_get_and_list(acs: Acs) -> None:
    encoder_id = acs.device_id("encoder-1")
    found = (await acs.api.ok("/acs/encoders/get", {"acs_encoder_id": encoder_id}))["acs_encoder"]
    assert (found["display_name"], found["acs_system_id"]) == ("Reception", acs.system_id)
    assert (found["errors"], found["online"], found["offline_reason"]) == ([], True, None)

    async def count(**filters: Any) -> int:
        return len((await acs.api.ok("/acs/encoders/list", filters))["acs_encoders"])

    assert await count() == await count(acs_system_id=acs.system_id) == 1
    assert await count(acs_system_ids=[NOBODY, acs.system_id], acs_encoder_ids=[encoder_id]) == 1
    assert await count(acs_system_ids=[]) == await count(acs_encoder_ids=[NOBODY]) == 0


async def test_a_first_card_is_written_and_the_credential_issued(acs: Acs) -> None:
    credential_id = await card(acs)
    acs.system.cards = ["0011"]
    attempt = await encode(acs, credential_id)
    assert (attempt["action_type"], attempt["status"]) == ("ENCODE_CREDENTIAL", "success")
    result = attempt["result"]
    assert (result["acs_credential_id"], result["card_number"], result["is_issued"]) == (credential_id, "0011", True)
    assert result == await acs.credential("user-bob")
    assert await acs.types(acs_credential_id=credential_id) == ["acs_credential.issued"]
    body = {"action_attempt_id": attempt["action_attempt_id"]}
    assert (await acs.api.ok("/action_attempts/get", body))["action_attempt"] == attempt
    listed = (await acs.api.ok("/action_attempts/list", {"device_id": acs.device_id("encoder-1")}))["action_attempts"]
    assert listed == [attempt]


async def test_nobody_is_named_in_the_journal(acs: Acs) -> None:
    credential_id = await card(acs)
    acs.system.cards = ["0011"]
    await encode(acs, credential_id)
    await acs.api.ok("/acs/users/update", {"acs_user_id": acs.user_id("user-bob"), "full_name": "Robert"})
    rows = (await acs.api.ok("/hub/journal", {"after": -500, "limit": 1000}))["rows"]
    assert "command.settled" in {row["type"] for row in rows}
    for secret in ("Bob Example", "Robert", "0011", "+43 1 234"):
        assert not [row for row in rows if secret in str(row["body"])]


async def test_a_card_is_written_anew(acs: Acs) -> None:
    before = await acs.credential("user-ada")
    body = {"access_method": "card", "acs_user_id": acs.user_id("user-ada")}
    await acs.api.ok("/acs/credentials/create", body | {"salto_space_metadata": {"update_current_key": True}})
    acs.system.cards = ["04A1B2C3D4E5F6"]
    attempt = await encode(acs, before["acs_credential_id"])
    assert attempt["status"] == "success"
    assert attempt["result"]["warnings"] == []
    assert await acs.types(event_type="acs_credential.reissued") == ["acs_credential.reissued"]


FAILURES = [
    (rejected("incompatible_card_format", "The card is of another kind."), "incompatible_card_format"),
    (rejected("credential_cannot_be_reissued", "Not again."), "credential_cannot_be_reissued"),
    (rejected("encoder_not_online", "It does not answer."), "encoder_not_online"),
    (rejected("encoder_busy", "It writes another card."), "uncategorized_error"),
    (sent_unconfirmed("No answer came."), "encoder_communication_timeout"),
]


@pytest.mark.parametrize(("outcome", "kind"), FAILURES, ids=lambda one: getattr(one, "code", one))
async def test_every_failure_is_of_seams_list(acs: Acs, outcome: Any, kind: str) -> None:
    credential_id = await card(acs)
    acs.system.refusals[EncodeCredential] = outcome
    attempt = await encode(acs, credential_id)
    assert (attempt["status"], attempt["error"]["type"]) == ("error", kind)
    assert attempt["error"]["detail"]["code"] == outcome.code
    assert attempt["error"]["message"] == outcome.message
    assert (await acs.credential("user-bob"))["is_issued"] is False


async def test_nobody_presents_a_card(acs: Acs) -> None:
    attempt = await encode(acs, await card(acs))
    assert attempt["error"]["type"] == "no_credential_on_encoder"


async def test_a_dead_server_and_a_silent_encoder(acs: Acs) -> None:
    credential_id = await card(acs)
    await acs.driver.lose("encoder-1", "It has no power.")
    body = {"acs_encoder_id": acs.device_id("encoder-1")}
    found = (await acs.api.ok("/acs/encoders/get", body))["acs_encoder"]
    assert (found["online"], found["offline_reason"], found["errors"]) == (False, "It has no power.", [])
    await acs.lost()
    attempt = await encode(acs, credential_id)
    assert attempt["error"]["type"] == "bridge_disconnected"
    assert attempt["error"]["detail"]["code"] == "hub_disconnected"
    assert "does not answer" in (await acs.api.ok("/acs/encoders/get", body))["acs_encoder"]["offline_reason"]


async def test_a_slow_card_is_pending_and_has_time(tmp_path: Path) -> None:
    async with running_acs(tmp_path / "data", hold_seconds=0.05) as acs:
        credential_id = await card(acs)
        acs.driver.hold.clear()
        acs.system.cards = ["0011"]
        attempt = await encode(acs, credential_id)
        assert (attempt["status"], attempt["result"], attempt["error"]) == ("pending", None, None)
        record = await acs.api.hub.journal.command(attempt["action_attempt_id"])
        assert record is not None
        assert (record.deadline - record.accepted_at).total_seconds() == pytest.approx(90.0)
        acs.driver.hold.set()
        await eventually(lambda: not acs.api.hub.journal.tables.open_commands)
        body = {"action_attempt_id": attempt["action_attempt_id"]}
        assert (await acs.api.ok("/action_attempts/get", body))["action_attempt"]["status"] == "success"


async def test_the_same_idempotency_key_writes_one_card(acs: Acs) -> None:
    credential_id, headers = await card(acs), {"idempotency-key": "k1"}
    acs.system.cards = ["0011", "0022"]
    first, second = await asyncio.gather(*(encode(acs, credential_id, headers=headers) for _ in range(2)))
    assert first == second
    assert acs.system.cards == ["0022"]


async def test_what_cannot_be_written(tmp_path: Path) -> None:
    async with running_acs(tmp_path / "data", hold_seconds=0.05) as acs:
        path, encoder = "/acs/encoders/encode_credential", {"acs_encoder_id": acs.device_id("encoder-1")}
        await acs.api.wrong("acs_credential_id", path, encoder)
        cloud = await acs.cloud_key("user-bob")
        acs.system.refusals[CreateUser] = access.busy()
        new = {"acs_system_id": acs.system_id, "full_name": "Cora"}
        user = (await acs.api.ok("/acs/users/create", new))["acs_user"]["acs_user_id"]
        early = await acs.api.ok("/acs/credentials/create", {"access_method": "card", "acs_user_id": user})
        for body, kind in (
            ({"acs_credential_id": NOBODY}, "acs_credential_not_found"),
            ({"access_method_id": NOBODY}, "not_supported"),
            ({"acs_credential_id": cloud}, "not_a_card"),
            ({"acs_credential_id": early["acs_credential"]["acs_credential_id"]}, "acs_user_not_in_system"),
        ):
            assert (await acs.api.refused(path, encoder | body))["type"] == kind


@pytest.mark.parametrize("path", ["scan_credential", "scan_to_assign_credential"])
async def test_no_card_is_read(acs: Acs, path: str) -> None:
    body = {"acs_encoder_id": acs.device_id("encoder-1"), "salto_ks_metadata": {"detect_new_tags": True}}
    error = await acs.api.refused(f"/acs/encoders/{path}", body)
    assert (error["status"], error["type"]) == (400, "not_supported")
    assert "SHIP" in error["message"]


SIMULATED = ["encode_will_fail", "encode_will_succeed", "scan_will_fail", "scan_will_succeed"]


@pytest.mark.parametrize("path", SIMULATED)
async def test_a_real_encoder_is_not_simulated(acs: Acs, path: str) -> None:
    path = f"/acs/encoders/simulate/next_credential_{path}"
    error = await acs.api.refused(path, {"acs_encoder_id": acs.device_id("encoder-1")})
    assert (error["status"], error["type"]) == (400, "not_a_sandbox_device")
    error = await acs.api.refused(path, {"acs_encoder_id": NOBODY})
    assert (error["status"], error["type"]) == (404, "acs_encoder_not_found")
