"""Events: what the provider's other systems are told, signed, retried, and never with content or a raw subject id."""
