"""What was drawn for a copy, in words."""

from collections.abc import Iterator, Mapping
from typing import Any


def words(drawn: Mapping[str, Any]) -> Iterator[str]:
    """Name each operation of what was recorded of a copy, those with one number with it."""
    operations = drawn.get("operations")
    for operation in operations if isinstance(operations, list) else ():
        if not isinstance(operation, dict):
            continue
        numbers = [v for k, v in operation.items() if isinstance(v, float) and "seed" not in k]
        name = str(operation.get("operation", "?"))
        yield f"{name} {numbers[0]:.3g}" if len(numbers) == 1 else name
