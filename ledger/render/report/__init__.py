"""The audit report in each of its formats: pure functions of the one value, none of which adds a fact."""
