"""What runs: training, evaluation and the passage of artefacts, in plain torch."""
