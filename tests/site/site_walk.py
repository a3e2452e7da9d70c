"""Walks over all pages of the site by their links, as somebody who clicks on everything would."""

import re
import urllib.parse
from collections import Counter
from html.parser import HTMLParser

MOST_QUERIES = 3  # addresses of one page that differ by what follows the "?": settings of labs have no end
ONCE = ("/account/export.json", "/account/reviews.csv")  # so often, and no more in an hour


class Page(HTMLParser):
    """What the tests want to know of a page."""

    def __init__(self, text):
        super().__init__()
        self.text = text
        self.links, self.ids, self.inline, self.assets, self.headings = [], [], [], [], []
        self.words, self._silent = "", 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if "id" in values:
            self.ids.append(values["id"])
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if tag in ("h1", "h2", "h3"):
            self.headings.append(int(tag[1]))
        if tag == "style" or (tag == "script" and "src" not in values):
            self.inline.append(tag)
        self.inline += [name for name in values if name == "style" or name.startswith("on")]
        if tag in ("script", "img", "link"):
            self.assets.append(values.get("src") or values.get("href"))
        self._silent += tag in ("script", "style", "title")

    def handle_endtag(self, tag):
        self._silent -= tag in ("script", "style", "title")

    def handle_data(self, data):
        if not self._silent:
            self.words += data


class Walk:
    """The pages that were found, and what was wrong with the links to them.

    Attributes
    ----------
    pages : dict
        By path and query, what is HTML.
    reached : set of str
        All addresses that answered, files too.
    dead : list of str
        A line for each link that leads nowhere.
    """

    def __init__(self, get, start=("/",)):
        self.pages, self.reached, self.dead = {}, set(), []
        self._get = get
        self._seen = {}  # address -> status
        self._per_path = Counter()
        waiting = [(address, "the start") for address in start]
        while waiting:
            address, source = waiting.pop(0)
            if address in self._seen or not self._wanted(address):
                continue
            waiting += self._visit(address, source)
        self._check_anchors()

    def _wanted(self, address):
        path, _, query = address.partition("?")
        if path in ONCE and path in self._seen:
            return False
        self._per_path[path] += bool(query)
        return self._per_path[path] <= MOST_QUERIES

    def _visit(self, address, source):
        answer = self._get(address)
        hops = 0
        while answer.status_code in (302, 303, 307) and hops < 5:
            answer, hops = self._get(answer.headers["location"]), hops + 1
        self._seen[address] = answer.status_code
        if answer.status_code != 200:
            self.dead.append(f"{source} -> {address}: {answer.status_code}")
            return []
        self.reached.add(address)
        if "text/html" not in answer.headers["content-type"]:
            return []
        page = self.pages[address] = Page(answer.text)
        found = []
        for link in page.links:
            target = urllib.parse.urljoin(f"http://site{address}", link)
            parts = urllib.parse.urlsplit(target)
            if parts.scheme == "http" and parts.netloc == "site":
                found.append((parts.path + (f"?{parts.query}" if parts.query else ""), address))
        return found

    def _check_anchors(self):
        for address, page in self.pages.items():
            for link in page.links:
                path, _, anchor = urllib.parse.urljoin(address, link).partition("#")
                if anchor and path in self.pages and anchor not in self.pages[path].ids:
                    self.dead.append(f"{address} -> {link}: there is no such place on the page")


def pattern_of(application, address):
    """Return the route that an address belongs to, such as ``/lessons/{slug}``."""
    path = address.partition("?")[0]
    for route in application.routes:
        regex = getattr(route, "path_regex", None)
        if regex is not None and "GET" in (getattr(route, "methods", None) or ()) and regex.match(path):
            return route.path
    return None


def page_patterns(application):
    """Return the GET routes that the site has."""
    found = {route.path for route in application.routes if "GET" in (getattr(route, "methods", None) or ())}
    return {path for path in found if not re.match(r"/(api|static)\b", path)}
