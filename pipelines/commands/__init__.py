"""The command line: one command a file, by what it works on."""
