#!/bin/sh
# No service starts when its package is installed: nothing in a container would end it.
exit 101
