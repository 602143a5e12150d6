"""The cloud: the port, the error table, signing, and the HTTP adapter. One method is one request."""
