"""What normalizations are called."""

from typing import Literal

NormalizationName = Literal["zscore", "nyul"]
