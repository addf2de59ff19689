from datetime import timedelta
from pathlib import Path

import msgspec

from hubd.core.keys import Key
from hubd.model import Outcome
from hubd.model.access import AcsUser, Card, CreateUser, DeleteGroup, DeleteUser, EditUser
from hubd.model.command import Command, EditAccess
from hubd.model.outcome import done, unreachable
from hubd.store.access import UserRecord
from hubd.web.access import MAX_EDITS, Cautions, Edits, System, system_parts
from hubd.web.parts import Part
from tests.hubd.web.browser import Browser
from tests.hubd.web.space import Space, space
from tests.hubd.web.stage import stage, until
from tests.support.clock import NOON

OPERATOR = Key("k", "Front desk", "operator", NOON)


def look(at: Space, instance: str = "space") -> dict[str, Part]:
    return {part.id: part for part in system_parts(at.site.desk, instance)}


def values[V: msgspec.Struct](part: Part, kind: type[V]) -> V:
    assert isinstance(part.values, kind)
    return part.values


def facts(at: Space) -> dict[str, str]:
    found = values(look(at)["system"], System).facts.facts
    return {fact.label: fact.text.replace("\u00a0", " ") for fact in found}


async def out_of_reach(_: Command) -> Outcome:
    return unreachable("server_away", "Somebody has this user open in Space.")


async def test_what_a_system_holds(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        at = await space(site)
        await at.door("Main")
        await at.door("Room 1", standalone=True)
        await at.door("Room 2", standalone=True)
        await at.encoder("Front desk")
        await at.group("Guests")
        anna = await at.user("Anna", card=Card(number="A1"))
        await at.user("Ben", is_suspended=True)
        await site.hub.access.want_card(site.hub.access.user(await at.user("Cleo")), "k", is_new_key=True)
        assert facts(at) == {
            "Doors": "1 online, 2 standalone, 1 encoder",
            "Users": "3, 1 suspended",
            "Access groups": "1",
            "Credentials": "2 cards, 1 to be written at an encoder",
            "Waiting changes": "none",
            "Known to the hub": "",
        }
        assert site.hub.access.user(anna).credential_id is not None


async def test_a_system_that_was_not_read_yet_says_so(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        at = await space(site)
        await until(lambda: "Read" not in facts(at))  # it is connected: it has told what it holds
        record = site.hub.access.system("space")
        assert record is not None
        unread = msgspec.structs.replace(record, is_read=False)
        site.hub.journal.tables.access.put(record.id, unread)
        assert facts(at)["Read"] == "not completely yet"
        site.hub.journal.tables.access.put(record.id, None)
        assert (facts(at)["Read"], "Known to the hub" in facts(at)) == ("not completely yet", False)


async def test_what_waits_says_for_whom_since_when_why_and_how_often_it_was_tried(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        at = await space(site)
        anna = await at.user("Anna")
        await at.group("Guests")
        at.driver.on_execute = out_of_reach
        wish = site.hub.access.wish
        await wish("space", [EditUser(subject="Anna", full_name="Anna B."), DeleteUser(subject="Anna")], "config")
        await wish("space", [CreateUser(subject="new", user=AcsUser("new", "Nadia"))], "config")
        await wish("space", [DeleteGroup(subject="Guests")], "config")
        await until(lambda: sum(edit.trouble is not None for edit in site.hub.access.pending("space")) == 3)
        lines = values(look(at)["edits"], Edits).edits
        assert [(line.what, line.whom, line.tries.replace("\u00a0", " ")) for line in lines] == [
            ("A change of a user", "Anna", "1 try"),
            ("The removal of a user", "Anna", ""),
            ("A new user", "Nadia", "1 try"),
            ("The removal of an access group", "Guests", "1 try"),
        ]
        assert (lines[0].by, lines[0].since.text) == ("the configuration", "13:00:00")
        assert lines[0].why == "Somebody has this user open in Space."
        assert lines[0].next_try is not None
        assert (lines[1].why, lines[1].next_try) == ("", None)
        assert facts(at)["Waiting changes"] == "4"
        at.driver.on_execute = lambda _: _done()
        await site.clock.advance(60)
        await until(lambda: not site.hub.access.pending("space"))
        assert values(look(at)["edits"], Edits).edits == ()
        assert anna not in site.hub.journal.tables.access.all(UserRecord)


async def _done() -> Outcome:
    return done()


async def test_of_many_that_wait_not_all_are_listed(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        at = await space(site)
        await at.user("Anna")
        at.driver.on_execute = out_of_reach
        await site.hub.access.wish("space", [EditUser(subject="Anna", full_name=str(n)) for n in range(55)], "config")
        edits = values(look(at)["edits"], Edits)
        assert (len(edits.edits), edits.more) == (MAX_EDITS, 5)
        await until(lambda: any(isinstance(command, EditAccess) for command in at.driver.commands))


async def test_cautions_stand_with_their_remedies_until_they_are_over_whatever_the_driver_is(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        at = await space(site)
        health = site.hub.health["space"]
        health.warn("clock_off", "The server's clock is 5 minutes off.", "Set it.")
        await site.clock.advance(60)
        health.warn("old_version", "The server is old <b>.", "")
        found = values(look(at)["cautions"], Cautions).cautions
        assert [(one.message, one.remedy, one.since.text) for one in found] == [
            ("The server's clock is 5 minutes off.", "Set it.", "13:00:00"),
            ("The server is old <b>.", "", "13:01:00"),
        ]
        health.warn("clock_off", None)
        assert len(values(look(at)["cautions"], Cautions).cautions) == 1
        assert list(look(at, "radio")) == ["cautions"]


async def test_the_page_of_the_driver_without_javascript(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        at = await space(site)
        await at.door("Main")
        await at.user("<img src=x>")
        site.hub.health["space"].warn("clock_off", "The server's clock is off.", "Set it.")
        at.driver.on_execute = out_of_reach
        await site.hub.access.wish("space", [DeleteUser(subject="<img src=x>")], "config")
        await until(lambda: site.hub.access.pending("space")[0].trouble is not None)
        browser = Browser(site.pages)
        await browser.sign_in(await site.key("viewer"))
        page = await browser.get("/driver/space")
        assert "The server's clock is off. Set it. since 13:00:00" in page["cautions"]
        assert "Doors1 online, 0 standalone, 0 encoders" in page["system"]
        assert "The removal of a user (<img src=x>): Somebody has this user open in Space." in page["edits"]
        assert "<img src=x>" not in page.source
        assert {"href": "/users/space"} in page.all("a")
        plain = await browser.get("/driver/radio")
        assert "system" not in plain
        assert "edits" not in plain


async def test_equal_states_give_equal_parts(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        at = await space(site)
        await at.user("Anna", ends_at=NOON + timedelta(days=1))
        assert look(at) == look(at)
