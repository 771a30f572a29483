"""What the machine offers: devices, threads, precision, and how weights are spread over processes."""
