"""Pages of lists: how long they are, and where the next one begins.

A token holds the last place of its page and a digest of this place and of the list with its filters, so that one that
was made up, or belongs to another list, is refused instead of answered with the wrong page.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Final

from optimizer.errors import InvalidInputError

DEFAULT_PAGE_SIZE: Final = 50
MAXIMUM_PAGE_SIZE: Final = 1000


def page_size(asked: int) -> int:
    """How much a page holds."""
    if asked < 0:
        raise InvalidInputError.single("page_size", f"{asked} is negative", "ask for 1 to 1000", "request")
    return min(asked or DEFAULT_PAGE_SIZE, MAXIMUM_PAGE_SIZE)


def token_after(listed: str, place: str) -> str:
    """The token of the page of a list after a place."""
    return base64.urlsafe_b64encode(f"{place} {_digest(listed, place)}".encode()).decode()


def place_of(listed: str, token: str) -> str:
    """The place in a list after which the page of a token begins.

    Raises:
        InvalidInputError: it is no token of this list.
    """
    try:
        place, _, digest = base64.urlsafe_b64decode(token.encode()).decode().rpartition(" ")
        if place and digest == _digest(listed, place):
            return place
    except (binascii.Error, UnicodeError, ValueError):
        pass
    fix = "pass next_page_token as it came, with the filters it came for"
    raise InvalidInputError.single("page_token", f"{token[:40]!r} is not a token of this list", fix, "request")


def _digest(listed: str, place: str) -> str:
    return hashlib.sha256(f"{listed} {place}".encode()).hexdigest()[:16]
