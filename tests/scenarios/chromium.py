"""A headless Chromium, and what a careful reader of a page would notice."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize, async_playwright

ARTIFACTS = Path(__file__).parents[2] / "artifacts" / "page"
DESKTOP = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=360, height=740)

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_PROGRAM = next(filter(None, map(shutil.which, _PROGRAMS)), None)
# The first two because tests may run as root in a container without a GPU; the others keep the browser off the network.
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
)

# The ratio of WCAG 2, of each element that holds text of its own to the first opaque ground below it.
_FAINT = """() => {
  const parse = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const color = parse(getComputedStyle(one).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const element of document.body.querySelectorAll("*")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    const box = element.getBoundingClientRect();
    if (!own || box.width < 2 || box.height < 2) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(ground(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) faint.push(`${element.textContent.trim().slice(0, 40)}: ${ratio.toFixed(2)}`);
  }
  return faint;
}"""

_SMALL = """() => [...document.querySelectorAll("main button, main input:not([type=hidden]), main select")]
  .map((one) => [one.textContent.trim(), one.getBoundingClientRect()])
  .filter(([, box]) => box.height > 0 && box.height < 44)
  .map(([text]) => text)"""


class Reader:
    """One tab. Whatever the page says against itself (errors, refused scripts) is kept in `complaints`."""

    def __init__(self, context: BrowserContext, page: Page) -> None:
        self.context = context
        self.page = page
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._heard)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    async def sign_in(self, url: str, token: str) -> None:
        """Sign in by key."""
        await self.page.goto(url)
        await self.page.get_by_label("Key").fill(token)
        await self.page.get_by_role("button", name="Sign in").click()
        await self.page.wait_for_selector("#devices")

    async def shoot(self, name: str) -> None:
        """Keep a picture of the whole page."""
        picture = await self.page.screenshot(full_page=True)
        await asyncio.to_thread(_keep, name, picture)

    async def is_too_wide(self) -> bool:
        """Tell whether the page would scroll sideways."""
        wide: bool = await self.page.evaluate("document.documentElement.scrollWidth > innerWidth")
        return wide

    async def faint(self) -> list[str]:
        """Return texts with less contrast than 4.5 to 1."""
        found: list[str] = await self.page.evaluate(_FAINT)
        return found

    async def too_small(self) -> list[str]:
        """Return buttons and fields that a thumb would miss."""
        found: list[str] = await self.page.evaluate(_SMALL)
        return found


def _keep(name: str, picture: bytes) -> None:
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    (ARTIFACTS / f"{name}.png").write_bytes(picture)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Run a browser. Fails where there is none; `make test` installs it."""
    assert _PROGRAM is not None, f"none of {', '.join(_PROGRAMS)} is installed"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_PROGRAM, args=_FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def reader(
    browser: Browser,
    viewport: ViewportSize = DESKTOP,
    scheme: Literal["light", "dark"] = "light",
    *,
    has_script: bool = True,
) -> AsyncIterator[Reader]:
    """Open a tab with cookies of its own. Fails at the end if the page complained."""
    context = await browser.new_context(
        viewport=viewport,
        color_scheme=scheme,
        java_script_enabled=has_script,
        device_scale_factor=2 if viewport is PHONE else 1,
    )
    context.set_default_timeout(10_000)
    one = Reader(context, await context.new_page())
    try:
        yield one
        assert one.complaints == []
    finally:
        await context.close()
