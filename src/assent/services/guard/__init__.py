"""What stands between a plan and an erasure that nobody wanted, and what tells when erasures stop."""
