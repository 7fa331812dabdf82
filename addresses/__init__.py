"""Checks that the page and the service share: the `Host` and `Origin` headers, and a proxy's path prefix."""
