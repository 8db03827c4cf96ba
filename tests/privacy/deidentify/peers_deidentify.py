"""Runs in an environment of its own: dicognito and deid on the files of a folder.

Usage: python peers_deidentify.py SOURCE OUTPUT; writes OUTPUT/<tool>/<name>.
"""

import sys
from pathlib import Path

import pydicom
from deid.config import DeidRecipe
from deid.dicom import get_identifiers, replace_identifiers
from dicognito.anonymizer import Anonymizer

source, output = map(Path, sys.argv[1:])
files = sorted(source.glob("*.dcm"))
for tool in ("dicognito", "deid"):
    (output / tool).mkdir(parents=True)
anonymizer = Anonymizer(seed="the same for all files")
for path in files:
    dataset = pydicom.dcmread(path)
    anonymizer.anonymize(dataset)
    dataset.save_as(output / "dicognito" / path.name)
names = [str(path) for path in files]
recipe = DeidRecipe()  # its own: deid.dicom
made = replace_identifiers(dicom_files=names, deid=recipe, ids=get_identifiers(names), save=False)
for path, dataset in zip(files, made, strict=True):
    dataset.save_as(output / "deid" / path.name)
