"""Questions that are answered by calling tools, which are really executed."""
