"""How many tasks a worker is sent at once, by how long they take."""

import time

from chaosprep.running.executor import Executor

_MOMENT = 0.2  # seconds
_PARTS = 32
_LARGEST = 16


class Pace:
    """Measures how fast tasks are done, from the time that it is made.

    Sending a batch and taking its results costs this process half a millisecond, almost what a
    worker takes for a slice: where small cases go one by one, there is no time for many workers.
    """

    def __init__(self) -> None:
        self._begin = time.monotonic()
        self._done = 0

    def did(self, tasks: int) -> None:
        """Take note of tasks that are done."""
        self._done += tasks

    def batch(self, executor: Executor) -> int:
        """How many tasks are best sent as the next batch.

        Of an executor that is `paced`, as many as keep one of its slots busy for a moment, and for
        a small part of the time that has passed: in the end, no worker is waited for much longer
        than others, and a death costs little.
        """
        if not executor.paced:
            return executor.batch
        passed = max(time.monotonic() - self._begin, 1e-9)
        rate = self._done / passed / executor.slots
        return max(1, min(_LARGEST, int(rate * min(_MOMENT, passed / _PARTS))))
