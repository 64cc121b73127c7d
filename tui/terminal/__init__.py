"""What goes out to the terminal: only the cells that changed."""
