"""What a run will need, before any GPU is rented."""
