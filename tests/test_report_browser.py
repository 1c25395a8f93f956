"""The data report in a real browser: pictures are drawn, a clip plays, nothing is wider than a phone."""

from __future__ import annotations

import functools
import http.server
import io
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.wait import WebDriverWait

from tests.made_data import make_data
from voice.report.data import write_report

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip

pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="no Chromium on PATH (Debian: apt-get install chromium)"),
    pytest.mark.skipif(DRIVER is None, reason="no chromedriver on PATH (Debian: apt-get install chromium-driver)"),
]


class _Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """The report's file, and the address it is served at on this machine."""
    made = make_data(tmp_path_factory.mktemp("site"), accepted=12)
    path, _, _ = write_report(made.voice, made.data, made.raw)
    handler = functools.partial(_Silent, directory=made.root)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield path, f"http://127.0.0.1:{server.server_port}/{path.relative_to(made.root).as_posix()}"
        server.shutdown()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """A fresh headless Chromium."""
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


def screen(browser: webdriver.Chrome, address: str, width: int) -> None:
    """Open `address` in a window of `width` pixels."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get_log("browser")  # forget what other pages said
    browser.get(address)


def seen(element: Any) -> np.ndarray:
    """What the screen shows of an element, [height, width, 3]."""
    return np.asarray(Image.open(io.BytesIO(element.screenshot_as_png)).convert("RGB"), dtype=np.float64)


@pytest.mark.parametrize("width", [1200, 390])
@pytest.mark.parametrize("served", [True, False])
def test_pictures_are_drawn_and_the_console_stays_empty(
    browser: webdriver.Chrome, site: tuple[Path, str], width: int, served: bool
) -> None:
    path, address = site
    screen(browser, address if served else path.as_uri(), width)
    sizes = browser.execute_script("return [...document.images].map(i => [i.naturalWidth, i.naturalHeight, i.alt])")
    assert len(sizes) == 4 + 2 * (10 + 12 + 2 + 1) and all(w > 100 and h > 20 and alt for w, h, alt in sizes)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    for css in (
        ".plots img",
        ".thumbs.large img",
        ".thumbs.large img + img",
        "#aside .thumbs img + img",
        ".strips svg",
    ):
        shown = seen(browser.find_element("css selector", css))
        assert shown.shape[0] > 10 and shown.shape[1] > 100, css
        assert shown.std(axis=(0, 1)).max() > 5, f"{css} is blank"
    assert browser.get_log("browser") == []


@pytest.mark.parametrize("served", [True, False])
@pytest.mark.parametrize("css", ["#first audio", "#aside audio", "#left audio", "#accepted audio"])
def test_a_clip_plays_when_its_player_is_started(
    browser: webdriver.Chrome, site: tuple[Path, str], css: str, served: bool
) -> None:
    path, address = site
    screen(browser, address if served else path.as_uri(), 1200)
    player = browser.find_element("css selector", css)
    browser.execute_script(
        """const player = arguments[0];
        player.times = [];
        player.addEventListener('timeupdate', () => player.times.push(player.currentTime));
        player.focus();""",
        player,
    )
    player.send_keys(" ")  # the key that starts a player
    wait = WebDriverWait(browser, 20, poll_frequency=0.05)
    wait.until(lambda _: len(times := told(browser, player, "times")) > 1 and times[-1] - times[0] > 0.2)
    assert told(browser, player, "error") is None and told(browser, player, "duration") > 0
    assert browser.get_log("browser") == []


def told(browser: webdriver.Chrome, element: Any, name: str) -> Any:
    """A property of an element."""
    return browser.execute_script("return arguments[0][arguments[1]]", element, name)


def test_commands_can_be_opened_and_strips_lead_to_their_segment(
    browser: webdriver.Chrome, site: tuple[Path, str]
) -> None:
    screen(browser, site[1], 1200)
    details = browser.find_element("css selector", "#accepted details")
    assert not details.find_element("css selector", "code").is_displayed()
    details.find_element("css selector", "summary").click()
    assert details.find_element("css selector", "code").text.startswith("reprovoice data edit bea day-one-0001 --text")
    browser.find_element("css selector", '.strips a[href="#s-day-one-0003"] rect').click()
    assert browser.current_url.endswith("#s-day-one-0003")
    top = browser.execute_script("return document.getElementById('s-day-one-0003').getBoundingClientRect().top")
    assert 0 <= top < 900
