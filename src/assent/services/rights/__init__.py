"""Rights requests of agents: the server side of the Data Rights Protocol 1.0."""
