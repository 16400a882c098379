"""Evidence: one archive that an auditor can verify offline, and the check of it (docs/how-to/console.md)."""
