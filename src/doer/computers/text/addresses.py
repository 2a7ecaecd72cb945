"""The addresses of a page: made whole, numbered, and told apart by where they lead."""

import re
from functools import lru_cache
from urllib.parse import urldefrag, urljoin, urlsplit

from doer.computers.text.unseen import seen
from doer.records.document import Link

URL_CHARS = 2000
NOWHERE = ("javascript:", "data:", "blob:")
CACHED = 10_000
PLAIN = re.compile(r"/(?!/)[\w/?=&%#-]*", re.ASCII)  # below the root, with nothing to work out
ORIGIN = re.compile(r"https?://[^/?#\\]+(?=/)")


class Addresses:
    """`base` is what relative addresses are relative to."""

    def __init__(self, url: str, base: str) -> None:
        self.links: list[Link] = []
        self._base = base
        self._here = urldefrag(url)[0]
        self._host = _place(url)
        web = ORIGIN.match(base)
        self._origin = web[0] if web else ""
        self._numbers: dict[str, int] = {}
        self._hosts: list[str] = []
        self.absolute = lru_cache(CACHED)(self._absolute)

    def _absolute(self, href: str) -> str:
        """The whole address, or "" when it leads nowhere."""
        href = seen(href).strip()
        if href[:12].lower().startswith(NOWHERE):
            return ""
        if href.startswith("#") and self._base == self._here:
            return self._here + href[:URL_CHARS]
        if href.startswith("/") and self._origin and PLAIN.fullmatch(href):
            return self._origin + href[:URL_CHARS]
        try:
            return urljoin(self._base, href)[:URL_CHARS]
        except ValueError:  # such as an unfinished IPv6 address
            return ""

    def fragment(self, url: str) -> str:
        """The place within this very page that a whole address points at, or ""."""
        page, _, name = url.partition("#")
        return name if name and page == self._here else ""

    def number(self, href: str, text: str) -> int:
        """The number of a link; the same address keeps its number. 0 when it leads nowhere."""
        url = self.absolute(href)
        if url and url not in self._numbers:
            self.links.append(Link(text=text[:200], url=url))
            near = self._is_near(url)
            self._hosts.append(self._host if near else _place(url))
            self._numbers[url] = len(self.links)
        return self._numbers.get(url, 0)

    def _is_near(self, url: str) -> bool:
        start = f"//{self._host}/"
        return url.startswith(start, url.find("//"))

    def is_known(self, href: str) -> bool:
        return self.absolute(href) in self._numbers

    def linked(self, href: str, text: str) -> str:
        """A link as text: its number, its words, and its host when that is another."""
        number = self.number(href, text)
        if not number:
            return text
        host = self._hosts[number - 1]
        return f"【{number}†{text}】" if host == self._host else f"【{number}†{text}†{host}】"

    def placed(self, places: dict[str, int]) -> list[Link]:
        """The links, with the lines of those that lead to a place in this document."""
        return [
            Link(text=link.text, url=link.url, line=places.get(self.fragment(link.url), 0))
            for link in self.links
        ]


def _place(url: str) -> str:
    """The host, or for other than web addresses the scheme."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return parts.netloc if parts.scheme in ("http", "https") else f"{parts.scheme}:"
