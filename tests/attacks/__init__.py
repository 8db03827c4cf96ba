"""Attacks on what the commands write: kills, races, links, others' files, full disks."""
