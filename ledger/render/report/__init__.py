"""The audit report in its formats: pure functions of ``core.audit.Report``; none adds a fact."""
