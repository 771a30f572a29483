"""From a text to a frozen spec: YAML, inheritance, overrides, references, each fault at its place. No torch."""
