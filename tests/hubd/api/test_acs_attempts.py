from pathlib import Path

import msgspec

from hubd.api import acs_attempts
from hubd.model import EncodeCredential, Outcome, OutcomeKind, done
from hubd.store.records import CommandRecord
from tests.hubd.api.access import Acs, running_acs
from tests.hubd.api.harness import instance, running_api
from tests.support.seam_schema import validate

NOBODY = "33333333-3333-4333-8333-333333333333"


def ended(acs: Acs, outcome: Outcome | None, credential_id: str = NOBODY) -> CommandRecord:
    now = acs.api.clock.now()
    command = EncodeCredential(
        device_id=acs.device_id("encoder-1"),
        native_id="encoder-1",
        user="user-bob",
        credential_id=credential_id,
        is_new_key=True,
    )
    return CommandRecord(NOBODY, command, "key", now, now, outcome=outcome)


def judged(acs: Acs, record: CommandRecord) -> str:
    attempt = msgspec.to_builtins(acs_attempts.shown(acs.api.hub, record))
    assert validate("/acs/encoders/encode_credential", 200, {"action_attempt": attempt, "ok": True}) == []
    return str(attempt["error"]["type"]) if attempt["error"] else str(attempt["status"])


async def test_every_end_is_of_seams_list(acs: Acs) -> None:
    assert judged(acs, ended(acs, None)) == "pending"
    for kind, code, told in (
        (OutcomeKind.EXPIRED, "deadline_exceeded", "action_attempt_expired"),
        (OutcomeKind.UNREACHABLE, "host_unreachable", "bridge_disconnected"),
        (OutcomeKind.UNREACHABLE, "device_disconnected", "encoder_not_online"),
        (OutcomeKind.SENT_UNCONFIRMED, "hub_restarted", "encoding_interrupted"),
        (OutcomeKind.SENT_UNCONFIRMED, "sent_unconfirmed", "encoder_communication_timeout"),
        (OutcomeKind.REJECTED, "credential_deleted", "credential_deleted"),
        (OutcomeKind.REJECTED, "encoder_aborted", "encoding_interrupted"),
        (OutcomeKind.REJECTED, "something_else", "uncategorized_error"),
        (OutcomeKind.UNSUPPORTED, "not_supported", "uncategorized_error"),
    ):
        assert judged(acs, ended(acs, Outcome(kind, code, "Why."))) == told


async def test_a_success_outlives_its_system(tmp_path: Path) -> None:
    async with running_acs(tmp_path / "data") as acs:
        known = (await acs.credential("user-ada"))["acs_credential_id"]
        encoder_id = acs.device_id("encoder-1")
        record = ended(acs, done(), known)
    async with running_api(tmp_path / "data", instance("space")) as api:  # another driver under the same name
        assert encoder_id in api.hub.devices
        attempt = acs_attempts.shown(api.hub, record)
        assert attempt.result is not None
        assert [one["hub_code"] for one in attempt.result["warnings"]] == ["credential_gone"]


async def test_a_success_outlives_its_credential(acs: Acs) -> None:
    assert judged(acs, ended(acs, done())) == "success"
    attempt = acs_attempts.shown(acs.api.hub, ended(acs, done()))
    assert attempt.result is not None
    assert [one["hub_code"] for one in attempt.result["warnings"]] == ["credential_gone"]
    known = (await acs.credential("user-ada"))["acs_credential_id"]
    attempt = acs_attempts.shown(acs.api.hub, ended(acs, done(), known))
    assert attempt.result is not None
    assert attempt.result["card_number"] == "04A1B2C3D4E5F6"
