"""DICOM files without what identifies: PS3.15's basic profile, from its own table."""
