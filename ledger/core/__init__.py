"""The pure core: values in, values out. No clock, disk, network, database, randomness or logging."""
