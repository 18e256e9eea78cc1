"""A headless Chromium for the tests of the interactive figures."""

import shutil
from contextlib import contextmanager

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
needs_browser = pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine")


@contextmanager
def launched():
    """A Chromium, closed in the end."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def open_page(html, folder, width=1000, height=900):
    """A page that shows a piece of HTML; any console error or foreign request fails the test."""
    file = folder / "page.html"
    file.write_text(f"<!doctype html><html lang='en'><meta charset='utf-8'><body>{html}")
    with open_site(file, width, height) as page:
        yield page


@contextmanager
def open_site(file, width=390, height=900):
    """A page on disk; any console error or foreign request fails the test."""
    complaints = []
    with launched() as browser:
        page = browser.new_page(viewport={"width": width, "height": height})
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda r: None if r.url.startswith(("file:", "data:")) else complaints.append(r.url),
        )
        page.goto(file.as_uri())
        yield page
    assert not complaints, complaints
