"""Our environments inside other people's programs: a module per package, imported only where it is used."""
