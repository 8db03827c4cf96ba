"""The steps of the work: one Params class and one function over one case each."""
