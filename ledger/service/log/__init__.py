"""The log: entries get their place, are published, watched, checked and brought back."""
