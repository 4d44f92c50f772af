"""Evidence that an auditor can check alone: records, signed statements, the ledger."""
