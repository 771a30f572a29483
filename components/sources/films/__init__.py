"""Video files: their frames and times, by either of two decoders."""
