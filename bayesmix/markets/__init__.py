"""Markets: constants that match shares; what firms do: prices, mergers, entry, taxes."""
