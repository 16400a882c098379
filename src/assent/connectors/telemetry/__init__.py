"""Telemetry of model calls: spans in OpenTelemetry's GenAI or OpenInference conventions, read into turns."""
