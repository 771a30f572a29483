"""What a person can look at: contact sheets, parts, methods as text."""
