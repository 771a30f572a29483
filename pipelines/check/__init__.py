"""What can be found wrong before any data is read."""
