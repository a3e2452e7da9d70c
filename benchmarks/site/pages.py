"""Part "pages": what each page weighs with all that it loads, and how soon its first byte comes."""

from __future__ import annotations

import re
import time
from collections import defaultdict, deque
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx2

from benchmarks.site.serving import SLUGS, Account, Server
from benchmarks.site.timings import percentile

HEAVIEST = 200_000  # bytes of a page, as they come with gzip, with style sheets, scripts and pictures
LOOKS = 5  # at each page; the first is not timed
MOST_PAGES = 200
_ONE_OF_MANY = re.compile(r"(/(?:prompts|tags)/)[^/]+")


class _Links(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.pages: list[str] = []
        self.assets: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        if tag == "a" and values.get("href"):
            self.pages.append(values["href"] or "")
        elif tag in ("script", "img", "link"):
            self.assets.append(values.get("src") or values.get("href") or "")


async def measure(server: Server, account: Account) -> dict[str, Any]:
    """Walk over the links of the site as a learner, and return a row for each page."""
    made: dict[str, Any] = {}
    assets: dict[str, dict[str, int]] = {}
    waiting, seen = deque(["/"]), {"/"}
    async with httpx2.AsyncClient(base_url=server.address, timeout=60, headers=account.headers) as client:
        while waiting and len(made) < MOST_PAGES:
            address = waiting.popleft()
            if "text/html" not in (await client.head(address)).headers.get("content-type", "text/html"):
                continue
            looks = [await _look(client, address) for _ in range(LOOKS)]
            answer, text, size, _ = looks[0]
            if answer.status_code != 200 or "text/html" not in answer.headers["content-type"]:
                continue
            links, parts = _Links(text), {}
            for asset in links.assets:
                parts |= await _weigh(client, asset, assets)
            made[address] = {
                "page_bytes": size,
                "bytes": size + sum(parts.values()),
                "first_byte_ms": [1000 * seconds for _, _, _, seconds in looks[1:]],
            }
            for link in links.pages:
                found = urlsplit(urljoin(address, link))
                if not found.netloc and not found.query and found.path not in seen:
                    seen.add(found.path)
                    waiting.append(found.path)
    return made


async def _look(client: httpx2.AsyncClient, address: str) -> tuple[httpx2.Response, str, int, float]:
    """Return an answer, its text, the bytes that came, and the seconds until the first of them."""
    began = time.perf_counter()
    async with client.stream("GET", address) as answer:
        first = time.perf_counter() - began
        await answer.aread()
    return answer, answer.text, answer.num_bytes_downloaded, first


async def _weigh(client: httpx2.AsyncClient, asset: str, known: dict[str, dict[str, int]]) -> dict[str, int]:
    """Return the bytes of an asset, and of what it imports."""
    if asset not in known:
        _, text, size, _ = await _look(client, asset)
        known[asset] = {asset: size}
        if urlsplit(asset).path.endswith(".js"):
            for imported in re.findall(r'(?:from|import) "(\./[^"]+)"', text):
                known[asset] |= await _weigh(client, urljoin(asset, imported), known)
    return known[asset]


def group_of(address: str) -> str:
    """Return what pages like this one have in common."""
    parts = ["…" if part in SLUGS else part for part in address.split("/")]
    return _ONE_OF_MANY.sub(r"\1…", "/".join(parts))


def is_met(made: dict[str, Any]) -> bool:
    """Whether no page is too heavy."""
    return all(row["bytes"] <= HEAVIEST for row in made.values())


def print_pages(made: dict[str, Any]) -> None:
    """Print a line for each group of pages."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for address, row in made.items():
        groups[group_of(address)].append(row)
    print(f"\n{len(made)} pages, as a learner sees them; kB as they come, gzipped, with all that they load")
    print(f"{'':36}{'pages':>6}{'heaviest kB':>13}{'page alone':>12}{'first byte p50 ms':>19}{'longest':>9}")
    for group, rows in groups.items():
        heaviest = max(rows, key=lambda row: row["bytes"])
        times = [value for row in rows for value in row["first_byte_ms"]]
        weights = f"{heaviest['bytes'] / 1000:13.0f}{heaviest['page_bytes'] / 1000:12.0f}"
        print(f"{group:36}{len(rows):6}{weights}{percentile(times, 0.5):19.0f}{max(times):9.0f}")
    print("no page is over 200 kB" if is_met(made) else "MISSES: a page is over 200 kB")
