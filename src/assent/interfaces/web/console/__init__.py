"""The console: what prevents accidents, for officers, engineers, safety and auditors."""
