"""The formats of the audit report. Each is a function of ``core.audit.Report`` and adds no fact to it."""
