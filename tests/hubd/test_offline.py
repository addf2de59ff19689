import asyncio
from pathlib import Path

import pytest

from hubd.box import Box, BoxError, is_in_use
from hubd.model.errors import InvalidInputError
from hubd.offline import with_keys
from tests.support.site import running_site


async def test_a_key_made_while_the_hub_is_stopped_opens_it(tmp_path: Path) -> None:
    async with with_keys(tmp_path) as keys:
        await keys.create("owner", "owner", "me")
        key, token = await keys.create("desk", "viewer", "me")
    await asyncio.to_thread((tmp_path / "owner.key").write_text, token)
    async with running_site(tmp_path) as site:
        answer = await site.call("/devices/list", json={}, token=token)
        assert (answer.status, len(answer.body["devices"])) == (200, 4)
        assert site.keys.verify(token) == key
    async with with_keys(tmp_path) as keys:
        await keys.revoke(key.key_id, "me")
    async with with_keys(tmp_path) as keys:
        assert keys.verify(token) is None


async def test_a_running_hub_is_left_alone(tmp_path: Path) -> None:
    async with running_site(tmp_path):
        with pytest.raises(BoxError) as caught:
            async with with_keys(tmp_path):
                pass
        assert caught.value.code == "data_dir_in_use"


async def test_what_the_block_raises_comes_out_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError):
        async with with_keys(tmp_path) as keys:
            await keys.create("", "viewer", "me")
    assert not await asyncio.to_thread(is_in_use, tmp_path)
    with await asyncio.to_thread(Box, tmp_path):
        pass
