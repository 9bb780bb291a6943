"""Runs inside the cluster: the standard library only, and nothing else of daftray."""
