"""The reference library: machines, public deals, prices and synthetic series, with their sources."""
