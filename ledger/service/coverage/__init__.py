"""What share of a production the log explains."""
