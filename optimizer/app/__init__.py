"""Use cases; every front end calls these."""

from optimizer.app.planning import plan

__all__ = ["plan"]
