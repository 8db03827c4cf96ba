"""The same work on a Dask cluster (the extra `dask`)."""
