"""DICOM images: what the toolkit needs of a header, and the stored pixels."""
