"""Learning: detectors of harm, and what they are trained with."""
