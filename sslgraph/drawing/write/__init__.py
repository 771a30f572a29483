"""A picture as SVG, PDF, PNG, text for a terminal, or text for other tools."""
