"""Steps that make a view of an image: where it looks, and how its colours change."""
