"""The trained encoder as other libraries read it."""
