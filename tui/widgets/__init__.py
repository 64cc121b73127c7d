"""Panes, rows and dialogs: given models and callables, never services, files, sockets or the clock."""
