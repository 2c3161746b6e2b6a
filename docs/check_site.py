"""Checks a site that was built: no page loads anything from the network, every link inside it leads to its place."""

from __future__ import annotations

import re
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADING = {"script": "src", "link": "href", "img": "src", "source": "src", "iframe": "src"}
"""Elements that load something, and what says from where."""


class Page(HTMLParser):
    """What a page loads, where it leads, and the places on it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.places: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """One element."""
        found = {name: value or "" for name, value in attributes}
        if tag in LOADING and LOADING[tag] in found:
            self.loaded.append(found[LOADING[tag]])
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        self.places |= {found[name] for name in ("id", "name") if name in found}


@cache
def page(path: Path) -> Page:
    """A page, read once."""
    return Page(path)


def problems(site: Path) -> list[str]:
    """What is wrong with a site, each with its file."""
    found = []
    for path in sorted(site.rglob("*.html")):
        name = path.relative_to(site)
        found += [f"{name} loads {target}" for target in page(path).loaded if urlsplit(target).netloc]
        found += [f"{name} leads to {target}" for target in page(path).links if not _leads(path, target)]
    for path in sorted(site.rglob("*.css")):
        loaded = re.findall(r"(?:url\(|@import\s+)[\"']?((?:https?:)?//[^\"')\s]+)", path.read_text(encoding="utf-8"))
        found += [f"{path.relative_to(site)} loads {target}" for target in loaded]
    return found


def _leads(path: Path, target: str) -> bool:
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        return True
    goal = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    goal = goal / "index.html" if goal.is_dir() else goal
    if not goal.is_file():
        return False
    return not parts.fragment or goal.suffix != ".html" or unquote(parts.fragment) in page(goal).places


def main() -> int:
    """1 and what is wrong, if anything is."""
    found = problems(Path(sys.argv[1]).resolve())
    sys.stderr.writelines(f"{line}\n" for line in found)
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
