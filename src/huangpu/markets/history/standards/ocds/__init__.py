"""The Open Contracting Data Standard 1.1, as it is written and as it is found in the wild."""
