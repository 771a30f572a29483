"""What processes share: statistics of BatchNorm, slices of weights, repeated blocks."""
