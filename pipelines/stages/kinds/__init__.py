"""The kinds of stages, one a file: what each takes, what it does, what it hands on."""
