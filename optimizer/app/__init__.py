"""Use cases; every front end calls these."""

from optimizer.app.plan import plan

__all__ = ["plan"]
