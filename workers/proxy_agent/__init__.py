"""The proxy-agent: the cutover with its watchdog, and traffic held for a maintenance."""
