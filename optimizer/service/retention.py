"""Deletes plans whose time is over, beside everything else that the server does."""

from __future__ import annotations

import logging
import threading
from typing import Final

from optimizer.service.logs import tell
from optimizer.service.store import Store
from optimizer.wire.errors import StoreUnavailableError

CHECK_S: Final = 60.0

_log = logging.getLogger(__name__)


class Retention:
    """Looks for plans that are kept no longer; does nothing where the store keeps them for good."""

    def __init__(self, store: Store, check_s: float = CHECK_S) -> None:
        self._store, self._check_s = store, check_s
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="optimizer-retention", daemon=True)

    def start(self) -> None:
        """Look now, and from time to time."""
        if self._store.keep_s is not None:
            self._thread.start()

    def close(self) -> None:
        """Look no more."""
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        wait_s = 0.0
        while not self._closed.wait(wait_s):
            try:
                count = self._store.delete_expired()
            except StoreUnavailableError as error:
                _log.warning("cannot look for plans that are over: %s", error)
                count = 0
            if count:
                tell(_log, logging.INFO, "plans expired", plan_count=count)
            wait_s = 0.0 if count else self._check_s
