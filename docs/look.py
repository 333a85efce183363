"""Look at the built site in headless Chromium, as a reader does: ``python docs/look.py [FOLDER]``.

Every page is opened by clicking links, at the widths of a desktop and of a phone, light and dark.
It is said what is broken: a page wider than its window, an error of a script, a request that leaves
the site. With FOLDER a picture of each page is put there. Needs Chromium, and playwright, by which
no browser is fetched; without them nothing is looked at.
"""

from __future__ import annotations

import shutil
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

SITE = Path(__file__).parents[1] / "build" / "docs" / "html"
WINDOWS = {"desktop": (1280, 900), "phone": (390, 844)}


class Quiet(SimpleHTTPRequestHandler):
    """Files of the site, without a line for each."""

    def log_message(self, *words: object) -> None:
        pass


def served() -> ThreadingHTTPServer:
    """The site, on a free port of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(SITE)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def click_through(page: Any, root: str, kind: str, pictures: Path | None) -> tuple[int, list[str]]:
    """Pages seen from the first one on, and what is wrong with them."""
    wrong: list[str] = []
    page.on("request", lambda one: one.url.startswith((root, "data:")) or wrong.append(one.url))
    page.on("pageerror", lambda error: wrong.append(f"{page.url}: {error}"))
    page.goto(root + "index.html")
    seen, left = set(), ["index.html"]
    while left:
        path = left.pop()
        if path in seen:
            continue
        seen.add(path)
        if path != "index.html":
            _click(page, root, path)
        if "404" in page.title() or not page.locator("h1").count():
            wrong.append(f"{path}: no heading")
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if wide > 1:
            wrong.append(f"{path}: {wide} pixels wider than a {kind}")
        if pictures is not None:
            name = f"{path.removesuffix('.html').replace('/', '-')}-{kind}.png"
            page.screenshot(path=str(pictures / name))
        left += sorted(set(_links(page, root)) - seen)
    return len(seen), wrong


def _links(page: Any, root: str) -> list[str]:
    """Pages of the site that the page shown leads to, by their path."""
    found = page.eval_on_selector_all("a[href]", "all => all.map(a => a.href)")
    paths = (one.split("#")[0].removeprefix(root) for one in found if one.startswith(root))
    return [path for path in paths if path.endswith(".html")]


def _click(page: Any, root: str, path: str) -> None:
    """Follow a link to the page from where one is: from the first page where there is none."""
    script = """path => {
        const link = [...document.links].find(a => a.href.split('#')[0] === path);
        if (link) link.click();
        return Boolean(link);
    }"""
    with page.expect_navigation(wait_until="load"):
        if not page.evaluate(script, root + path):
            page.goto(root + path)


def main() -> int:
    """0 where nothing is wrong, 1 with a line for each thing that is."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        browser = None
    if browser is None or not SITE.is_dir():
        print("nothing looked at: needs Chromium, playwright, and the site (`make docs`)")
        return 0
    pictures = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    server, failed = served(), 0
    root = f"http://127.0.0.1:{server.server_port}/"
    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        for window, (width, height) in WINDOWS.items():
            for scheme in ("light", "dark"):
                size = {"width": width, "height": height}
                page = chromium.new_page(viewport=size, color_scheme=scheme)
                kind = f"{window}-{scheme}"
                count, wrong = click_through(page, root, kind, pictures)
                print(f"{kind}: {count} pages, {len(wrong)} wrong", *wrong, sep="\n  ")
                failed += len(wrong)
                page.close()
        chromium.close()
    server.shutdown()
    server.server_close()
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
