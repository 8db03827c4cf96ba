"""Imported first by the server that workers are forked from.

What it imports stays: Python need not look for garbage in it, neither there nor in the workers,
which would get memory of their own for all that they look at.
"""

import gc
import os

gc.disable()
os.register_at_fork(before=gc.freeze, after_in_child=gc.enable)
