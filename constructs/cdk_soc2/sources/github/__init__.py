"""Who may change what on GitHub, what was changed, and who approved it."""
