"""Who may log in, what they may do, and the tokens that say so."""
