"""A detector that gets better by what people decide, round by round, on conversations that may be used for it."""
