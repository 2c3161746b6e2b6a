"""Nothing here: its place puts ``tests/`` on the import path, so that every test finds ``support``."""
