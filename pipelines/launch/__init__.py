"""Where a run starts: in this process, under torchrun, on Ray's workers, or as a job of a cluster."""
