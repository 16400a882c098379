"""The provider's directory: people and their plans, kept in step by SCIM 2.0 (RFC 7643, RFC 7644)."""
