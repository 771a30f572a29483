"""The parts that a text may name, read as text: signatures, settings, ports, traits. Imports no torch."""
