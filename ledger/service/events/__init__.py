"""What is told of the log to those who asked to be told: listeners of a stream, and receivers of webhooks."""
