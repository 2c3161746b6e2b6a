"""The ``optimizer`` command."""
