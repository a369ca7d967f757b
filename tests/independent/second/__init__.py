"""A second implementation of kvmend's selectors, from STRATEGIES.md and the papers it cites, in NumPy and float64."""
