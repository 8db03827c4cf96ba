"""Each Python that finds this keeps Windows' rules for files; see tests/systems/shim.py."""

import sys
from pathlib import Path

house = str(Path(__file__).parents[3])
sys.path.insert(0, house)
try:
    from tests.systems.shim import install
finally:
    sys.path.remove(house)
install()
