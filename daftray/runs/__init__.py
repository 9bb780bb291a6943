"""What happens to a run: create, get, list, cancel, rerun, and the reconciler that carries it to its end."""
