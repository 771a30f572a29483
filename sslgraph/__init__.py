"""Self-supervised vision methods as graphs: read, wire, settle, compile, train."""

__version__ = "0.1.0"
