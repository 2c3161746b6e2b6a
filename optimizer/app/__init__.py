"""Use cases; every front end calls these."""

from optimizer.app.planning import plan
from optimizer.app.what_if import WhatIfs

__all__ = ["WhatIfs", "plan"]
