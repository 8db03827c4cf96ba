"""A synthetic abdomen in CHAOS's layout: sample data, and test and benchmark data of any size."""

from chaosprep.phantom.writing import SAMPLE_PATIENTS, Patient, write_chaos, write_patient

__all__ = ["SAMPLE_PATIENTS", "Patient", "write_chaos", "write_patient"]
