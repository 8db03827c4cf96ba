"""`chaosprep extract-liver`."""

from chaosprep.cli.stage import stage_command
from chaosprep.stages.extract_liver import EXTRACT_LIVER

command = stage_command(
    EXTRACT_LIVER,
    "DIR",
    "DIR is what split made. CHAOS paints liver 63 (55-70), right kidney 126 (110-135), left "
    "kidney 189 (175-200) and spleen 252 (240-255). Levels of no organ are an error, not "
    "background.",
)
