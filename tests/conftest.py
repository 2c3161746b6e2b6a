"""For all tests; its place puts ``tests/`` on the import path, so that every test finds ``support``."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("suite", deadline=None)  # how long an example takes says nothing on a shared machine
settings.load_profile("suite")
