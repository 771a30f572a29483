"""What a person looks at: contact sheets, parts, methods as text, reports."""
