"""Files that appear whole or not at all, and addresses that files are fetched from and sent to."""
