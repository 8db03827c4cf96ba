"""The steps of the work: one record, one Params class and one function over one case each."""
