"""Commands on specs: each reads texts, and trains nothing that is kept."""
