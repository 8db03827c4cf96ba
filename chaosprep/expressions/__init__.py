"""Conditions over named values, as a person writes them: `rows >= 256 and spacing[0] <= 6`.

Python's grammar is read and never run: a closed list of its nodes is known here, none of which
reaches an attribute, calls anything but a few functions of numbers, or takes long.
"""
