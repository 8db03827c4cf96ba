"""Where pixels lie: the order of a series, lattices of voxels, grids and the way back."""
