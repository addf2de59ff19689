from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest

from hubd.model import Outcome, rejected
from hubd.model.access import AcsUser, Card, CardState, CreateUser, EditUser, Permission
from hubd.model.command import Command
from hubd.model.errors import NotFoundError
from hubd.web import users
from hubd.web.parts import Part
from hubd.web.sessions import Session
from hubd.web.users import PER_PAGE, Sought, UserRow, UserTable, user_parts
from tests.hubd.web.browser import Browser
from tests.hubd.web.space import Space, space
from tests.hubd.web.stage import stage, until
from tests.support.clock import NOON

DAY = timedelta(days=1)


async def look(at: Space, text: str = "", page: int = 1) -> Part:
    parts = await user_parts(at.site.desk, Session("k", 0.0), "space", Sought(text, page))
    return next(part for part in parts if part.id == "users")


def rows(part: Part) -> list[UserRow]:
    return [child.values for child in part.children if isinstance(child.values, UserRow)]


async def names(at: Space, text: str = "", page: int = 1) -> list[str]:
    return [row.name for row in rows(await look(at, text, page))]


def frame(part: Part) -> UserTable:
    assert isinstance(part.values, UserTable)
    return part.values


async def test_everything_a_row_says(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        at = await space(site)
        await at.group("Staff", entrances=(Permission("Main"), Permission("Bar")))
        await at.user(
            "Anna",
            groups=("Staff", "deleted"),
            entrances=(Permission("Main"),),
            starts_at=NOON - DAY,
            ends_at=NOON + DAY,
            phone_number="+49 171 5550199",
            card=Card(number="04A1B2", state="update_required"),
        )
        await at.user("Ben", is_suspended=True, ends_at=NOON - DAY, entrances=(Permission("Main"),))
        anna, ben = rows(await look(at))
        assert (anna.name, anna.groups, anna.doors) == ("Anna", ("a group that is gone", "Staff"), "2\u00a0doors")
        assert anna.starts is not None
        assert anna.ends is not None
        assert (anna.starts.text, anna.ends.text) == ("yesterday 13:00:00", "2 Mar 13:00")
        assert (anna.card, anna.card_tone, anna.is_over, anna.problem) == ("Card must be updated", "warn", False, "")
        assert (ben.is_suspended, ben.is_over, ben.doors, ben.card) == (True, True, "0\u00a0doors", "No card")


async def test_a_user_whom_the_system_does_not_have_yet_or_did_not_change(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        at = await space(site)
        await at.user("Anna")

        async def refuse(_: Command) -> Outcome:
            return rejected("name_too_long", "The name is too long.")

        at.driver.on_execute = refuse
        await site.hub.access.wish("space", [CreateUser(subject="n", user=AcsUser("n", "Nadia"))], "config")
        await site.hub.access.wish("space", [EditUser(subject="Anna", full_name="A" * 99)], "config")
        await until(lambda: not site.hub.access.pending("space"))
        anna, nadia = rows(await look(at))
        assert (anna.is_present, anna.problem) == (True, "A change of a user was not taken: The name is too long.")
        assert (nadia.is_present, nadia.problem) == (False, "A new user was not taken: The name is too long.")


async def test_users_are_found_by_name_and_paged_in_the_order_of_names(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        at = await space(site)
        await at.note(*(AcsUser(f"u{n}", f"Guest {n}") for n in range(PER_PAGE + 5)))
        await at.user("Anna Berger", phone_number="0171 5550199")
        assert (await names(at))[:3] == ["Anna Berger", "Guest 0", "Guest 1"]
        assert len(await names(at, page=2)) == 6
        assert frame(await look(at, page=99)).page == 2
        assert await names(at, "BERG anna") == ["Anna Berger"]
        assert await names(at, "5550199") == []
        assert frame(await look(at, "guest")).found == PER_PAGE + 5


async def test_of_two_systems_each_has_its_own_users(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        at, other = await space(site), await space(site, "annex")
        await at.user("Anna")
        await other.group("Guests")
        await at.user("Ben", groups=("Guests",))
        await other.user("Cleo", groups=("Guests",))
        assert await names(at) == ["Anna", "Ben"]
        assert rows(await look(at))[1].groups == ("a group that is gone",)
        with pytest.raises(NotFoundError):
            await user_parts(site.desk, Session("k", 0.0), "radio", Sought())
        with pytest.raises(NotFoundError):
            await user_parts(site.desk, Session("k", 0.0), "none", Sought())


def test_every_card_state_has_words() -> None:
    assert set(users._CARDS) == set(get_args(CardState.__value__))  # noqa: SLF001


async def test_the_page_as_a_browser_without_javascript_sees_it(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        at = await space(site)
        await at.note(*(AcsUser(f"u{n}", f"Guest {n}", phone_number="+4917155501") for n in range(PER_PAGE * 3)))
        await at.group('"><script>alert(1)</script>')
        evil = '"><script>alert(2)</script>\u202e' + "W" * 900
        await at.user(evil, groups=('"><script>alert(1)</script>',), card=Card(number="DEADBEEF"))
        browser = Browser(site.pages)
        await browser.sign_in(await site.key("viewer"))
        page = await browser.get("/users/space?p=2")
        assert f"{PER_PAGE + 1} to {2 * PER_PAGE} of {3 * PER_PAGE + 1}" in page["users"]
        assert [one["href"] for one in page.all("a") if "rel" in one] == ["/users/space?q=&p=1", "/users/space?q=&p=3"]
        page = await browser.get("/users/space?q=%22%3E%3Cscript")
        assert "alert(2)" in page["users"]
        assert "<script>alert" not in page.source
        assert "\u202e" not in page.source
        for secret in ("+4917155501", "DEADBEEF"):
            assert secret not in page.source
        assert page.field("q") == '"><script'
        assert "No user is called so." in (await browser.get("/users/space?q=nobody"))["users"]
        for path in ("/users/radio", "/users/none", "/users/"):
            assert (await browser.send("GET", path)).status == 404
        assert (await browser.post("/users/space", {})).status == 405
        stream = next(one["data-stream"] for one in page.all("p") if "data-stream" in one)
        assert stream == "/page/stream?users=space&q=%22%3E%3Cscript&p=1"


async def test_nobody_sees_users_without_a_key(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        at = await space(site)
        await at.user("Anna")
        response = await Browser(site.pages).send("GET", "/users/space")
        assert (response.status, response.body) == (303, b"")
