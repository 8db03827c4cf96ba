"""The normalizations: a line each."""

from collections.abc import Mapping
from types import MappingProxyType

from chaosprep.imaging.intensity.names import NormalizationName
from chaosprep.imaging.intensity.normalization import Normalization
from chaosprep.imaging.intensity.nyul import NYUL
from chaosprep.imaging.intensity.zscore import ZSCORE

NORMALIZATIONS: Mapping[NormalizationName, Normalization] = MappingProxyType(
    {"zscore": ZSCORE, "nyul": NYUL}
)
