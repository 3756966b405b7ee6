"""A browser and a server for the tests that click: Debian's Chromium, by Playwright.

Where there is none, the tests are skipped and say so; with REQUIRE_BROWSER=1 they fail instead.
The server runs in this process, on the database that the fixture ``history`` has opened.
"""

import os
import shutil
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.db import connections

ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage"),
    *("--no-first-run", "--disable-background-networking", "--disable-component-update"),
]
DESKTOP = {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"}
PHONE = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "has_touch": True}


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        """Say nothing."""


class _Server(ThreadedWSGIServer):
    """Answers each request on a connection of its own to the database of the test."""

    database = None

    def process_request_thread(self, request, client_address):
        """Answer one client."""
        connections["default"] = type(self.database)(self.database.settings_dict, "default")
        try:
            super().process_request_thread(request, client_address)
        finally:
            connections["default"].close()


@contextmanager
def served():
    """Serve the site, static files too, and give its address."""
    server = _Server(("127.0.0.1", 0), _Quiet, allow_reuse_address=False)
    server.database = connections["default"]
    server.set_app(StaticFilesHandler(WSGIHandler()))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def chromium():
    """Start the browser, or skip the test; Django lets the loop of Playwright pass meanwhile."""
    path = shutil.which("chromium")
    missing = "" if path else "needs Chromium: apt-get install chromium"
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing = "needs Playwright: pip install -r requirements-dev.txt"
    if missing:
        (pytest.fail if os.environ.get("REQUIRE_BROWSER") else pytest.skip)(missing)
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    try:
        with sync_playwright() as playwright:
            started = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
            yield started
            started.close()
    finally:
        if before is None:
            del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def axe():
    """Return the source of axe-core, or skip the test: AXE is the path of its axe.min.js."""
    path = os.environ.get("AXE")
    if not path:
        pytest.skip("needs axe-core: npm install axe-core, AXE=…/axe.min.js")
    return Path(path).read_text()
