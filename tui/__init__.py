"""digsite: a terminal explorer for the artifacts of mobile CI builds."""

__version__ = "0.1.0"
