"""The rights desk: what its pages show of the registry, gathered from the log, as plain values."""
