import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hubd.core.keys import ROLES, Key, Keys
from hubd.model.errors import InvalidInputError, NotFoundError, StoreError
from hubd.model.event import KeyCreated, KeyRevoked
from hubd.store.journal import Journal
from tests.support.clock import NOON
from tests.support.store import open_journal, refuse_writes


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    async with open_journal(tmp_path / "x.sqlite") as journal:
        yield journal


@pytest.fixture
async def keys(journal: Journal) -> Keys:
    return await load(journal)


async def load(journal: Journal) -> Keys:
    keys = Keys(journal)
    await keys.load()
    return keys


async def test_a_key_is_known_by_its_token_also_after_a_restart(journal: Journal, keys: Keys) -> None:
    key, token = await keys.create("Front desk", "operator", "owner-key")
    assert key == Key(key.key_id, "Front desk", "operator", NOON)
    assert keys.verify(token) == key
    assert (await load(journal)).verify(token) == key
    (row,) = await journal.rows(0)
    assert row.event == KeyCreated(key_id=key.key_id, name="Front desk", role="operator", by="owner-key")


async def test_only_a_hash_of_a_token_is_kept(journal: Journal, keys: Keys) -> None:
    key, token = await keys.create("x", "viewer", "me")
    secret = token.removeprefix(f"seam_{key.key_id}_")
    assert len(secret) == 48
    ((digest,),) = await journal.database.read("SELECT secret_hash FROM keys")
    assert digest == hashlib.sha256(token.encode()).digest()
    everything = (
        repr(await journal.database.read("SELECT * FROM keys")) + repr(await journal.rows(0)) + repr(keys.list())
    )
    assert secret not in everything


async def test_what_is_not_the_token_is_not_let_in(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    key, token = await keys.create("x", "owner", "me")
    compared: list[tuple[bytes, bytes]] = []
    real = hmac.compare_digest

    def counting(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return bool(real(one, other))

    monkeypatch.setattr(hmac, "compare_digest", counting)
    last = "0" if token[-1] != "0" else "1"
    wrong = [
        token[:-1] + last,
        token.upper(),
        f"x{token[1:]}",
        f"seam_{key.key_id}_",
        f"seam_0000000000000000_{token.rsplit('_', 1)[1]}",
        f"seam_{key.key_id}_é",
        "",
        "_",
        "__",
        token + "_x",
        token + " ",
        token + "\ud800",
    ]
    assert [keys.verify(one) for one in wrong] == [None] * len(wrong)
    shaped = [one for one in wrong if len(one.split("_")) == 3 and one.isascii()]
    assert len(compared) == len(shaped), "every token of the right shape is compared in full, known or not"
    assert all(len(other) == 32 for _, other in compared)


@pytest.mark.parametrize(
    ("role", "may"),
    [("viewer", {"viewer"}), ("operator", {"viewer", "operator"}), ("owner", {"viewer", "operator", "owner"})],
)
def test_roles_contain_the_smaller_ones(role: Any, may: set[str]) -> None:
    assert {wanted for wanted in ROLES if Key("k", "x", role, NOON).may(wanted)} == may


@pytest.mark.parametrize(
    ("name", "role", "field"),
    [
        ("", "viewer", "name"),
        (" ", "viewer", "name"),
        ("x" * 81, "viewer", "name"),
        ("a\nb", "viewer", "name"),
        ("x", "god", "role"),
    ],
)
async def test_what_makes_no_key(keys: Keys, journal: Journal, name: str, role: Any, field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        await keys.create(name, role, "me")
    assert caught.value.field == field
    assert (keys.list(), journal.head) == ([], 0)


async def test_a_revoked_key_is_out_at_once_and_for_good(journal: Journal, keys: Keys) -> None:
    await keys.create("owner", "owner", "me")
    key, token = await keys.create("x", "viewer", "me")
    revoked = await keys.revoke(key.key_id, "owner-key")
    assert revoked.revoked_at == NOON
    assert keys.verify(token) is None
    again = await load(journal)
    assert again.verify(token) is None
    assert {one.name: one.revoked_at for one in again.list()} == {"owner": None, "x": NOON}
    head = journal.head
    assert await keys.revoke(key.key_id, "me") == revoked
    assert journal.head == head
    assert (await journal.rows(head - 1))[0].event == KeyRevoked(key_id=key.key_id, by="owner-key")


async def test_the_last_owner_stays(keys: Keys) -> None:
    owner, token = await keys.create("owner", "owner", "me")
    await keys.create("x", "operator", "me")
    with pytest.raises(InvalidInputError, match="last owner key"):
        await keys.revoke(owner.key_id, "me")
    assert keys.verify(token) == owner
    await keys.create("second", "owner", "me")
    await keys.revoke(owner.key_id, "me")
    assert keys.verify(token) is None


async def test_two_owners_cannot_be_taken_back_in_the_same_instant(keys: Keys) -> None:
    owners = [(await keys.create(name, "owner", "me"))[0] for name in ("one", "other")]
    results = await asyncio.gather(*(keys.revoke(owner.key_id, "me") for owner in owners), return_exceptions=True)
    assert sum(isinstance(result, InvalidInputError) for result in results) == 1
    assert sum(key.revoked_at is None for key in keys.list()) == 1


async def test_an_unknown_key(keys: Keys) -> None:
    with pytest.raises(NotFoundError) as caught:
        await keys.revoke("nobody", "me")
    assert (caught.value.code, caught.value.data) == ("key_not_found", {"key_id": "nobody"})


async def test_a_disk_that_refuses_changes_nothing(journal: Journal, keys: Keys) -> None:
    await keys.create("owner", "owner", "me")
    key, token = await keys.create("x", "viewer", "me")
    await refuse_writes(journal.database)
    with pytest.raises(StoreError):
        await keys.create("y", "viewer", "me")
    with pytest.raises(StoreError):
        await keys.revoke(key.key_id, "me")
    assert keys.verify(token) == key
    assert [one.name for one in keys.list()] == ["owner", "x"]


async def test_a_token_is_delivered_before_its_key_is_valid(journal: Journal, keys: Keys) -> None:
    delivered: list[str] = []

    async def deliver(token: str) -> None:
        assert keys.verify(token) is None
        assert journal.head == 0
        delivered.append(token)

    key, token = await keys.create("owner", "owner", "first start", deliver=deliver)
    assert delivered == [token]
    assert keys.verify(token) == key


async def test_a_token_that_cannot_be_delivered_makes_no_key(journal: Journal, keys: Keys) -> None:
    async def deliver(_: str) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        await keys.create("owner", "owner", "first start", deliver=deliver)
    assert (keys.list(), journal.head) == ([], 0)
