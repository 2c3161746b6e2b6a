"""Revisions of the tables, run on opening a store."""
