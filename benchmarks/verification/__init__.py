"""How often an audit finds a cheat, and how often it wrongs an honest runner, beside comparing texts."""
