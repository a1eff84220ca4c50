"""The audit report: what is asked for, gathered from the log, put together, issued, and asked about again."""
