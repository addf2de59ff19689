from pathlib import Path

from hubd.web import sessions
from hubd.web.sessions import Notice, Sessions
from tests.hubd.web.stage import stage


async def test_a_session_is_found_by_its_token_alone(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        key, _ = await site.keys.create("Front desk", "operator", "config")
        store = Sessions(site.keys)
        token = store.begin(key, 0.0)
        found = store.find(token, 1.0)
        assert found is not None
        assert found[1] == key
        assert store.find(token + "x", 1.0) is None
        assert store.begin(key, 0.0) != token
        store.end(token)
        store.end(token)
        assert store.find(token, 1.0) is None


async def test_it_ends_when_idle_and_at_its_age(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        key, _ = await site.keys.create("Front desk", "operator", "config")
        store = Sessions(site.keys)
        idle, used = store.begin(key, 0.0), store.begin(key, 0.0)
        now, step = 0.0, sessions.IDLE_SECONDS - 1
        while now + step <= sessions.LIFE_SECONDS:
            now += step
            assert store.find(used, now) is not None
        assert store.find(idle, now) is None
        assert store.find(used, sessions.LIFE_SECONDS + 1) is None
        assert len(store) == 0


async def test_a_page_that_updates_itself_does_not_keep_it_alive(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        key, _ = await site.keys.create("Front desk", "operator", "config")
        store = Sessions(site.keys)
        token = store.begin(key, 0.0)
        assert store.find(token, sessions.IDLE_SECONDS - 1, is_use=False) is not None
        assert store.find(token, sessions.IDLE_SECONDS + 1, is_use=False) is None


async def test_it_falls_with_its_key(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        await site.keys.create("owner", "owner", "config")
        key, _ = await site.keys.create("Front desk", "operator", "config")
        store = Sessions(site.keys)
        token = store.begin(key, 0.0)
        await site.keys.revoke(key.key_id, "config")
        assert store.find(token, 1.0) is None
        assert len(store) == 0


async def test_they_are_bounded_in_all_and_for_each_key(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        store = Sessions(site.keys)
        for number in range(sessions.CAPACITY // sessions.PER_KEY + 2):
            key, _ = await site.keys.create(f"key {number}", "viewer", "config")
            tokens = [store.begin(key, 0.0) for _ in range(sessions.PER_KEY + 1)]
            assert store.find(tokens[0], 0.0) is None
            assert all(store.find(token, 0.0) for token in tokens[1:])
        assert len(store) == sessions.CAPACITY


def test_notices_are_few_and_pass() -> None:
    session = sessions.Session("k", 0.0)
    for number in range(sessions.MAX_NOTICES + 2):
        session.tell(Notice(f"device {number}", float(number)))
    shown = session.notices(5.0)
    assert [notice.made_at for notice in shown] == [5.0, 4.0, 3.0, 2.0]
    assert session.notices(sessions.NOTICE_SECONDS + 4.5) == shown[:1]
