"""The plan of the wire tests, which has something of everything, is at hand here too."""

import sys
from pathlib import Path

path = str(Path(__file__).resolve().parents[1] / "wire")
if path not in sys.path:
    sys.path.append(path)
