"""Runs methods: training, evaluation, export and pipelines, in plain torch."""
