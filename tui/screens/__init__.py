"""One module per screen: the only place where services meet widgets."""
