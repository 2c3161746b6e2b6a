"""The only conversion factors of the project.

Every other module multiplies by a name from here, never by a literal.
"""

from __future__ import annotations

from typing import Final

SECONDS_PER_DAY: Final = 86_400.0
HOURS_PER_DAY: Final = 24.0
MONTHS_PER_YEAR: Final = 12

W_PER_MW: Final = 1e6
KW_PER_MW: Final = 1e3
MWH_PER_GWH: Final = 1e3

H_PER_PH: Final = 1e15
H_PER_EH: Final = 1e18
TH_PER_PH: Final = 1e3
TH_PER_EH: Final = 1e6
PH_PER_EH: Final = 1e3

USD_PER_MUSD: Final = 1e6

BLOCKS_PER_DAY: Final = 144.0
"""Expected blocks a day at one block in ten minutes."""
BLOCK_SECONDS: Final = 600.0
HALVING_BLOCKS: Final = 210_000
RETARGET_BLOCKS: Final = 2_016
RETARGET_SECONDS: Final = RETARGET_BLOCKS * BLOCK_SECONDS
RETARGET_CLAMP: Final = 4.0
FIRST_SUBSIDY_BTC: Final = 50.0
HASHES_PER_DIFFICULTY: Final = 2.0**32
"""Expected hashes to find a block at difficulty 1."""
