"""Build and try the container image without a Docker engine: `make image-check`.

Needs root, debootstrap and Debian's archive as this machine's apt knows it. What can't be had
without Docker's registry is replaced, and the replacement is printed.
"""
