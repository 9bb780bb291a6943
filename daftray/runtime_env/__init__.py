"""From a run to Ray's terms: package, dependencies, variables, the runner's own package."""
