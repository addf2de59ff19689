from pathlib import Path

from hubd.web.waiting import MAX_WAITING
from tests.hubd.web.browser import Browser
from tests.hubd.web.stage import Stage, stage


async def browser_of(site: Stage) -> Browser:
    browser = Browser(site.pages)
    await browser.sign_in(await site.key("viewer"))
    return browser


async def test_what_waits_on_the_network_is_shown_with_its_reason(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        browser = await browser_of(site)
        assert "waiting-h" not in await browser.get("/")
        assert site.script.port is not None
        site.script.port.waiting("node-6", "Node 6", "It sleeps; press its button.")
        for path in ("/", "/driver/radio"):
            assert "Node 6 of Z-Wave: It sleeps; press its button." in (await browser.get(path))["waiting"]
        site.script.port.waiting("node-6", "Node 6", None)
        assert "waiting-h" not in await browser.get("/")


async def test_of_many_that_wait_some_are_shown(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        assert site.script.port is not None
        for number in range(MAX_WAITING + 5):
            site.script.port.waiting(f"node-{number}", f"Node {number}", "It sleeps.")
        page = await (await browser_of(site)).get("/")
        assert page["waiting"].endswith("and 5 more")
