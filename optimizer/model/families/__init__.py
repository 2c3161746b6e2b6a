"""Constraint families, one a file; :mod:`optimizer.model.formulation` puts them in order."""
