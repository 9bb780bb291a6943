"""Git, over GitPython."""
