"""The local cache of what was listed: `store` keeps it, `figures` sums it up, `search` finds in it."""
