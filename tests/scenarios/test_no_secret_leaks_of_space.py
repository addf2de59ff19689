"""What is secret about a site with ProAccess Space stands nowhere but where it belongs.

The password or key of SHIP and the PINs of Space's users: nowhere at all. Numbers of cards and names of people: in the
records that the API shows, and in no log, journal, event or webhook. The daemon is as talkative as it can be, and every
reply that holds them is spoiled at least once.
"""

import asyncio
import base64
import json
import sys
from pathlib import Path

import aiohttp
import pytest
from hubd_drivers.salto_space.sim import Basic, Custom, Habit, Http, Space, Trouble, demo_site
from hubd_drivers.salto_space.sim.schema import USER

from tests.house.tree import ROOT
from tests.scenarios.client import until
from tests.scenarios.space import Premises, at_home, premises_of_process, secret
from tests.scenarios.test_no_secret_leaks import World, gather, leaks, make_talkative, receiver, unpacked
from tests.support.process import DaemonProcess

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(90)]

KEY, WRONG_KEY = "Kj7-wq.Zr83_pLx2", "Nn4-0thing.Like_it9"
PINS = {"of a user": "83920175", "of a user who is changed": "59301847", "typed over by the operator": "41802957"}
WIEGAND = "77310942885"
CARD, NEW_CARD = "04D7E2A95C1B80", "04F3B86D2A7E80"
PERSON, NEW_PERSON = "Quentin Tarragona", "Xiomara Oyelaran"
LISTED = "SaltoDBUserList.Read"
SPOILT = (Trouble.JUNK, Trouble.HALF, Trouble.HTML, Trouble.LENGTH)


def fill(space: Space) -> tuple[str, str]:
    """Give two of the site's users what is secret; returns their ids."""
    one, other = [user.id for user in space.site.users][1:3]
    first, last = PERSON.split()
    space.operator.change(
        USER, one, {"PINCode": PINS["of a user"], "PINEnabled": "1", "WiegandCode": WIEGAND, "CurrentROMCode": CARD}
    )
    space.operator.change(USER, other, {"PINCode": PINS["of a user who is changed"], "PINEnabled": "1"})
    space.operator.rename_user(one, first, last)
    return one, other


async def work(home: Premises, world: World, users: tuple[str, str]) -> None:
    """Use everything that is secret, in good and in bad weather."""
    space, client = home.space, home.client
    one, other = users
    token = client.token
    ids = {user: (await home.user(user))["acs_user_id"] for user in users}
    await world.call("/acs/users/update", token=token, keep=False, acs_user_id=ids[other], full_name=NEW_PERSON)
    await world.call("/acs/users/suspend", token=token, acs_user_id=ids[one], keep=False)
    for wrong in ({"full_name": ""}, {"phone_number": "x"}, {"access_schedule": {"starts_at": NEW_PERSON}}):
        refused = await world.call("/acs/users/update", token=token, acs_user_id=ids[one], **wrong)
        assert refused["ok"] is False
    space.operator.change(USER, one, {"PINCode": PINS["typed over by the operator"]})
    for trouble in SPOILT:
        space.faults.garble(LISTED, trouble)
        await home.sees(lambda: asyncio.sleep(0, not list(space.faults)))
        await home.sees(home.is_connected, 30.0)
    for code in (7, 12, 200, 203, 204, 501, 503):
        space.faults.refuse("SaltoDBUser.Update", code)
        await world.call("/acs/users/update", token=token, acs_user_id=ids[one], phone_number="+3491234567")
    bare = home.floor.user_id("Ayşe García 4")
    space.encoders["Encoder#1"].habit = Habit(0.05, NEW_CARD)
    attempt = await home.encode(await home.card_for(bare))
    assert attempt["status"] == "success"
    space.person.opens(home.floor.door_id("Main entrance"), one)
    await home.unlock("Main entrance")
    await home.hears_all()


async def read_everything(world: World, token: str) -> None:
    """Ask for all that tells of what has happened; none of it may name a person or a card."""
    since = {"since": "2020-01-01T00:00:00Z"}
    for path, params in (
        ("/hub/journal", {"limit": 1000}),
        ("/events/list", since | {"limit": 1000}),
        ("/hub/site", {}),
        ("/acs/systems/list", {}),
        ("/acs/entrances/list", {}),
    ):
        assert (await world.call(path, token=token, **params))["ok"], path


async def cli(daemon: DaemonProcess, *words: str) -> bytes:
    """Run a command; returns all that it said."""
    command = (sys.executable, "-m", "hubd", *words, "--config", str(daemon.config))
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe, cwd=ROOT)
    return b"".join(await asyncio.wait_for(process.communicate(), 30))


async def pages(daemon: DaemonProcess) -> list[bytes]:
    """Read the pages on which no person's card or PIN has a place."""
    url, token = await asyncio.to_thread(lambda: (daemon.url, daemon.token))
    found = []
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        async with browser.get(f"{url}/login") as form:
            csrf = (await form.text()).split('name="csrf" value="')[1].split('"')[0]
        fields = {"key": token, "csrf": csrf, "next": "/"}
        async with browser.post(f"{url}/login", data=fields, headers={"origin": url}) as answer:
            assert answer.status == 200
        for path in ("/", "/driver/space", "/users/space"):
            async with browser.get(url + path) as page:
                found.append(await page.read())
    return found


async def says(daemon: DaemonProcess, words: bytes) -> bool:
    """Tell whether something stands in the log."""
    return words in await asyncio.to_thread(daemon.log.read_bytes)


@pytest.mark.parametrize("auth", [Basic("hubd", KEY), Custom(KEY)], ids=["basic", "custom"])
async def test_no_secret_of_space_leaks(auth: Basic | Custom, tmp_path: Path) -> None:
    site = await asyncio.to_thread(demo_site)
    transport = Http(auth=auth)
    shown: list[bytes] = []
    async with premises_of_process(tmp_path, transport, site=site) as (space, daemon):
        users = fill(space)
        begun_at = site.trail.last_id
        await make_talkative(daemon)
        async with at_home(space, daemon, begun_at) as home, aiohttp.ClientSession() as session, receiver() as hook:
            world = World(daemon, session, home.client.url)
            token = home.client.token
            await world.call("/webhooks/create", token=token, keep=False, url=hook[0], event_types=["*"])
            await work(home, world, users)
            await read_everything(world, token)
            shown += [*await pages(daemon), await cli(daemon, "events", "--last", "1000"), await cli(daemon, "doctor")]
            shown.append(await cli(daemon, "backup", str(tmp_path / "box.tar.gz")))
        running = await asyncio.to_thread(gather, daemon)
        await daemon.stop()
        # A wrong key is refused, and is no less a secret.
        await secret(tmp_path, WRONG_KEY)
        await daemon.start()
        await until(lambda: says(daemon, b"wrong_credentials"), 15.0)
        shown.append(await cli(daemon, "doctor", "space", "--json"))
        await daemon.stop()
        files = await asyncio.to_thread(gather, daemon)
    told = {f"webhook {number}": content for number, content in enumerate(hook[1])}
    told |= {f"answer {number}": answer for number, answer in enumerate(world.answers)}
    told |= {"the log": files["the log"]}
    places = {
        **{f"{name} (running)": content for name, content in running.items()},
        **files,
        **await asyncio.to_thread(unpacked, tmp_path / "box.tar.gz"),
        **{f"shown {number}": content for number, content in enumerate(shown)},
        **told,
    }
    assert files["the log"].count(b"server lost") > 2, "what a second try did not mend was told of"
    assert json.dumps("wrong_credentials").encode() in shown[-1]
    assert leaks("Main entrance", places), "what is no secret is found, so the search looks where things are"
    assert any(place.startswith("webhook") for place in told)
    assert "hubd.sqlite" in "".join(leaks(CARD, places)), "a card stands in its record"
    nowhere = {"the key": KEY, "a wrong key": WRONG_KEY, "a Wiegand code": WIEGAND}
    nowhere |= {f"a PIN {whose}": pin for whose, pin in PINS.items()}
    nowhere["the header"] = base64.b64encode(f"hubd:{KEY}".encode()).decode()
    found = {name: where for name, words in nowhere.items() if (where := leaks(words, places))}
    of_people = {"a card": CARD, "a new card": NEW_CARD, "a name": PERSON, "a new name": NEW_PERSON}
    found |= {name: where for name, words in of_people.items() if (where := leaks(words, told))}
    assert found == {}
