"""The suite. A package, because another distribution brings one of the same name."""
