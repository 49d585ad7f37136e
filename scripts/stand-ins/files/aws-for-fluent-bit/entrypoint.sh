#!/bin/sh
echo "A stand-in for AWS for Fluent Bit: rsyslog, listening on port 24224, writing to standard output."
exec rsyslogd -n -i NONE -f /etc/rsyslog.conf
