"""Any tree of DICOM files, told apart by their headers."""
