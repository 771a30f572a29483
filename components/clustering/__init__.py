"""Clustering: solvers that work on the features of the whole data set."""
