"""Commands on images and runs."""
