"""A pipeline's stages: their texts and cells, what is made already, and how they run."""
