"""Loaded in the process from which the processes of jobs are forked, which is how they know it.

That process is spawned, loads what jobs run, makes no call and solves nothing, so that neither gRPC nor HiGHS has a
thread in it when it is forked.
"""

from __future__ import annotations

import os
from typing import Final

PROCESS_ID: Final = os.getpid()
"""Of the process that forks."""
