"""The command line: one command a file, grouped by what the commands work on."""
