"""What a run records and shows: losses, monitors, diagnoses and remedies."""
