"""Loads every page of the site in headless Chromium: make test-site.

  python tests/site/check_site.py    after make site

Fails where the console shows an error, a request fails or leaves this machine,
a page is wider than a narrow screen, or the search does not find a name.
"""

import contextlib
import functools
import http.server
import json
import pathlib
import re
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

_SITE = pathlib.Path(__file__).resolve().parents[2] / "build" / "site"
_FLAGS = """--headless=new --no-sandbox --disable-gpu --disable-quic
--no-first-run --disable-background-networking --disable-component-update
--disable-sync""".split()
_NARROW, _WIDE = 400, 1280
# What the search is asked for, and the address that it has to find.
_SEARCHES = {
  "IndyLSTMCell": "api/tensorflow.html#tf_contrib_rnn.IndyLSTMCell",
  "bidirectional_dynamic_rnn": (
    "api/tensorflow.html#tf_contrib_rnn.bidirectional_dynamic_rnn"
  ),
  "list_scopes": "api/migrate.html#tf_contrib_rnn.migrate.list_scopes",
}


class _Handler(http.server.SimpleHTTPRequestHandler):
  def log_message(self, *arguments):
    """Says nothing: the browser's log has what fails."""


@contextlib.contextmanager
def serve(folder: pathlib.Path) -> Iterator[str]:
  """Serves a folder on this machine alone; gives its address."""
  handler = functools.partial(_Handler, directory=folder)
  with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
      yield f"http://127.0.0.1:{server.server_port}/"
    finally:
      server.shutdown()
      thread.join()


@contextlib.contextmanager
def start_browser() -> Iterator[webdriver.Chrome]:
  """A Chromium with a new profile, whose logs can be read."""
  options = webdriver.ChromeOptions()
  options.binary_location = shutil.which("chromium")
  logs = {"browser": "ALL", "performance": "ALL"}
  options.set_capability("goog:loggingPrefs", logs)
  service = webdriver.ChromeService(shutil.which("chromedriver"))
  with tempfile.TemporaryDirectory() as profile:
    for flag in (*_FLAGS, f"--user-data-dir={profile}"):
      options.add_argument(flag)
    browser = webdriver.Chrome(options, service)
    try:
      browser.get("about:blank")
      browser.get_log("performance")  # of the browser's own first page
      yield browser
    finally:
      browser.quit()


def set_width(browser: webdriver.Chrome, width: int, height: int = 900) -> None:
  # The window itself can't be as narrow as a telephone.
  browser.execute_cdp_cmd(
    "Emulation.setDeviceMetricsOverride",
    {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
  )


def requests_of(browser: webdriver.Chrome) -> Iterator[tuple[str, str]]:
  """The addresses asked for since the last call, and what failed, or ""."""
  addresses = {}
  for entry in browser.get_log("performance"):
    message = json.loads(entry["message"])["message"]
    values = message["params"]
    if message["method"] == "Network.requestWillBeSent":
      addresses[values["requestId"]] = values["request"]["url"]
      yield values["request"]["url"], ""
    elif message["method"] == "Network.responseReceived":
      if values["response"]["status"] >= 400:
        yield values["response"]["url"], str(values["response"]["status"])
    elif message["method"] == "Network.loadingFailed":
      # What the browser gives up because the next page comes is no fault.
      if not values.get("canceled"):
        yield addresses.get(values["requestId"], "?"), values["errorText"]


def faults_of(browser: webdriver.Chrome, address: str) -> Iterator[str]:
  """What is wrong on the page that was loaded last."""
  for entry in browser.get_log("browser"):
    if entry["level"] in ("SEVERE", "WARNING"):
      yield f"console: {entry['message']}"
  for url, failure in requests_of(browser):
    if failure:
      yield f"request failed: {url}: {failure}"
    if not url.startswith((address, "data:", "blob:")):
      yield f"request leaves this machine: {url}"
  if not browser.find_elements(By.CSS_SELECTOR, "article h1"):
    yield "no heading"
  width = browser.execute_script("return document.scrollingElement.scrollWidth")
  if width > _NARROW:
    yield f"{width} pixels wide on a screen of {_NARROW}"


def search(browser: webdriver.Chrome, words: str) -> list[str]:
  """The addresses that the search of the page finds."""
  field = browser.find_element(By.CSS_SELECTOR, ".md-search__input")
  field.click()
  field.send_keys(words)
  links = ".md-search-result__item a"
  found = WebDriverWait(browser, 20).until(
    lambda _: browser.find_elements(By.CSS_SELECTOR, links)
  )
  # In between, the address has the words, to be marked on the page.
  return [
    re.sub(r"\?h=[^#]*", "", link.get_attribute("href")) for link in found
  ]


def search_faults(browser: webdriver.Chrome, address: str) -> Iterator[str]:
  set_width(browser, _WIDE)
  for words, expected in _SEARCHES.items():
    browser.get(address + "index.html")
    found = search(browser, words)
    if address + expected not in found:
      yield f"the search for {words} does not find {expected}, but {found}"


def main() -> None:
  faults = []
  pages = sorted(path.relative_to(_SITE) for path in _SITE.rglob("*.html"))
  if not pages:
    sys.exit(f"no pages in {_SITE}: make site first")
  with serve(_SITE) as address, start_browser() as browser:
    set_width(browser, _NARROW)
    for page in pages:
      browser.get(address + page.as_posix())
      faults += [f"{page}: {f}" for f in faults_of(browser, address)]
    faults += search_faults(browser, address)
  for fault in faults:
    print(fault)
  print(f"{len(pages)} pages, {len(faults)} faults")
  sys.exit(bool(faults))


if __name__ == "__main__":
  main()
