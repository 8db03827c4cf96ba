"""Layouts of other tools: each module reads a Dataset and writes one."""
