"""The use cases, on ports: what a studio does with its ledger."""
