"""A pipeline's stages: what each kind does, one a file; what is made already; and how they run."""
