"""What runs inside the cluster, beside the user's code.

Shipped with every run as a zip, it imports the standard library only, and what the user's own
environment holds behind guards. Modules that load at the start of every process stay clear of
``dataclasses``, ``typing`` and ``inspect``: each costs more than the whole runner may (see
``docs/benchmarks.md``).
"""
